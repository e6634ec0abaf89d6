# The training example, as a user runs it: it cures what it says it cures, and refuses what is wrong.
#
#     sh example.sh SOURCE_ROOT FOLDER
set -eu
source=$1
folder=$2
. "$source/tests/check.sh"

resurrect() {
    sh "$source/doc/examples/resurrect.sh" --html "$folder/report.html" --json "$folder/report.json" "$@"
}

# The mean test accuracy of an activation in the table on standard output.
accuracy() {
    awk -v name="$1" '$1 == name && $2 ~ /^[0-9.]+$/ {print $2}' "$folder/out"
}

between() {
    awk -v value="$2" -v least="$1" -v most="$3" 'BEGIN {exit !(value != "" && value >= least && value <= most)}'
}

# ReLU stays at chance where biases start at -1; with B-SiLU's derivative it learns.
trains() {
    resurrect --quick --scenario low --activations relu,relu~bsilu >"$folder/out" 2>"$folder/err" || {
        cat "$folder/out" "$folder/err"
        return 1
    }
    between 5 "$(accuracy relu)" 20 && between 75 "$(accuracy relu~bsilu)" 95
}

# The number of dead units, in all layers, of an activation in the table on standard output.
dead() {
    awk -v name="$1" '$1 == name && $2 ~ /^[0-9.]+$/ {sum = 0; for (i = 6; i <= 11; i++) sum += $i; print sum}' \
        "$folder/out"
}

# One batch with inputs that are too large kills units, and none where batches are normalised.
dies() {
    resurrect --quick --scenario "$source/doc/examples/scenarios/$1.txt" --activation relu >"$folder/out" \
        2>"$folder/err" || {
        cat "$folder/out" "$folder/err"
        return 1
    }
    between "$2" "$(dead relu)" "$3"
}

scenario_with() {
    printf '# a comment\nbias = 0 # and another\n%s\n' "$1" >"$folder/scenario.txt"
    refuses --scenario "$folder/scenario.txt" && grep -q "scenario.txt:3: $2" "$folder/err"
}

reports() {
    grep -q '</html>' "$folder/report.html" && grep -q '"relu~bsilu' "$folder/report.json"
}

# One line on standard error, exit code 2, no report.
refuses() {
    rm -f "$folder/report.html" "$folder/report.json"
    status=0
    resurrect --quick "$@" >"$folder/out" 2>"$folder/err" || status=$?
    [ "$status" = 2 ] && [ "$(wc -l <"$folder/err")" = 1 ] && [ ! -e "$folder/report.html" ] &&
        [ ! -e "$folder/report.json" ] && return 0
    echo "exit code $status, standard error:"
    cat "$folder/err"
    return 1
}

# A copy of the images with one file cut off in the middle.
damaged_data() {
    rm -rf "$folder/data"
    mkdir "$folder/data"
    cp /usr/share/datasets/fashion-mnist/*.gz "$folder/data/"
    images=$folder/data/train-images-idx3-ubyte.gz
    head -c 1000000 "$images" >"$images.part"
    mv "$images.part" "$images"
}

mkdir -p "$folder"
if ! [ -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]; then
    echo 'skipped: the images (dataset-fashion-mnist) are not installed'
    exit 77
fi
check 'trains' trains
check 'reports' reports
check 'an outlier kills units' dies outlier 100 768
check 'batch normalisation keeps them' dies outlier-normalised 0 8
damaged_data
check 'refuses an unknown option' refuses --no-such-option
check 'refuses an unknown activation' refuses --activation relu~bsilo
check 'refuses 0 epochs' refuses --epochs 0
check 'refuses a missing scenario' refuses --scenario "$folder/missing"
check 'refuses a scenario twice' refuses --scenario low --scenario both
check 'refuses an unknown key' scenario_with 'rate = 1' "unknown key 'rate'"
check 'refuses a line without =' scenario_with 'bias' "'bias', expected key = value"
check 'refuses a number that is none' scenario_with 'bias = low' "bias 'low', expected a number"
check 'refuses a choice that is none' scenario_with 'batch-normalisation = 1' "batch-normalisation '1', expected yes or no"
check 'refuses a missing folder' refuses --data "$folder/missing"
check 'refuses damaged images' refuses --data "$folder/data"
rm -rf "$folder/data"
check_summary
