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

# A small network trained for one epoch, for what must hold of any training.
trains_small() {
    resurrect --quick --scenario low --layers 2 --width 32 --batch 250 "$@" >"$folder/out" 2>"$folder/err" || {
        cat "$folder/out" "$folder/err"
        return 1
    }
}

# A number of the report: of an activation, counted from 0 in the order of the table, the first or the last
# evaluation's. Of a list it is the first element, hence hidden layer 1's.
number() {
    awk -v activation="$1" -v which="$2" -v name="$3" '
        /^ *[{]"scenario": [0-9]+, "activation": [0-9]+, "seed"/ {split($4, part, ","); run = part[1]}
        run == activation && /^ *[{]"step"/ && match($0, "\"" name "\": \\[?[^],}]*") {
            text = substr($0, RSTART, RLENGTH)
            sub(/^[^:]*: \[?/, "", text)
            if (which == "last" || value == "") value = text
        }
        END {print value}' "$folder/report.json"
}

# A member of an activation's run that is no evaluation's.
member() {
    awk -v activation="$1" -v name="$2" '
        /^ *[{]"scenario": [0-9]+, "activation": [0-9]+, "seed"/ {
            split($4, part, ",")
            if (part[1] == activation && match($0, "\"" name "\": [^,]*")) {
                text = substr($0, RSTART, RLENGTH)
                sub(/^[^:]*: /, "", text)
                print text
            }
        }' "$folder/report.json"
}

# compare A OPERATOR B: numbers, neither of them missing nor null.
compare() {
    awk -v a="$1" -v operator="$2" -v b="$3" 'BEGIN {
        number = "^-?[0-9.]+(e[-+]?[0-9]+)?$"
        if (a !~ number || b !~ number) found = 0
        else if (operator == "=") found = a + 0 == b + 0
        else if (operator == "!=") found = a + 0 != b + 0
        else if (operator == "<") found = a + 0 < b + 0
        else if (operator == "<=") found = a + 0 <= b + 0
        if (!found) print "expected " a " " operator " " b
        exit !found}'
}

# With thresholds at 0, which is an edge of the histogram, the share of the bins below it is the sparsity; bin by
# bin all 2048 images of all 32 units are there.
watches() {
    trains_small --activation relu || return 1
    compare "$(number 0 last dead)" '<=' "$(number 0 last nearly_dead)" || return 1
    compare "$(number 0 first input_deviation)" '!=' 0 || return 1
    awk -v first="$(number 0 first sparsity)" -v last="$(number 0 last sparsity)" '
        function check(sparsity, i, below, all) {
            gsub(/[^0-9 ]/, "")
            for (i = 1; i <= NF; i++) {all += $i; if (i <= 16) below += $i}
            difference = below / all - sparsity
            if (NF != 32 || all != 2048 * 32 || difference > 1e-6 || difference < -1e-6) {
                print NF " bins, " all " inputs, " below " below 0, sparsity " sparsity
                exit failed = 1
            }
            checked++
        }
        at != "" {check(at == "start" ? first : last); at = ""}
        /"histogram_start"/ {at = "start"}
        /"histogram_end"/ {at = "end"}
        END {exit failed || checked != 2}' "$folder/report.json"
}

# The codes of relu are exact: it trains to the last digit as without. Those of bsilu are not, and nearly do.
saves_gradients() {
    trains_small --activations relu,relu~bsilu --save-gradient || return 1
    compare "$(number 1 last loss)" = "$(number 0 last loss)" || return 1
    compare "$(number 1 last sparsity)" = "$(number 0 last sparsity)" || return 1
    compare "$(number 3 last loss)" '!=' "$(number 2 last loss)" || return 1
    between -2 "$(accuracy relu~bsilu+saved | awk -v plain="$(accuracy relu~bsilu)" '{print $1 - plain}')" 2 || return 1
    compare "$(member 1 kept_bytes)" = $((250 * 32 * 5)) && compare "$(member 0 kept_bytes)" = $((250 * 32 * 8))
}

# Every parameter starts at its default, is learned, and stays in its range whatever the learning rate.
learns() {
    trains_small --activations prelu,celu --learn || return 1
    [ "$(number 0 last learned_median)" = null ] || return 1
    for trained in 1 3; do
        compare "$(number $trained first learned_least)" = "$(number $trained first learned_most)" || return 1
        compare "$(number $trained last learned_least)" '<' "$(number $trained last learned_most)" || return 1
    done
    compare "$(number 1 first learned_median)" = 0.25 || return 1
    trains_small --activations celu,squareplus --learn --learning-rate 1
}

# How many activations of the table are trained with a technique.
trained_with() {
    awk -v ending="[+]$1\$" '$1 ~ ending && $2 ~ /^[0-9.]+$/ {count++} END {print count + 0}' "$folder/out"
}

# Without a list, --learn has activations that can, and for the other techniques.
learns_by_default() {
    trains_small --learn || return 1
    compare "$(trained_with learned)" = 3 || return 1
    resurrect --scenario low --layers 1 --width 8 --batch 10000 --epochs 1 --seeds 1 --learn --anneal --save-gradient \
        >"$folder/out" 2>"$folder/err" || {
        cat "$folder/out" "$folder/err"
        return 1
    }
    compare "$(trained_with learned)" = 5 && compare "$(trained_with annealed)" = 2 &&
        compare "$(trained_with saved)" = 5
}

# With the blend 0 in the end the gradient used is the true one.
anneals() {
    trains_small --activations 'relu~bsilu,relu~gelu(blend=0.5),relu~elu(domain=negative)' --anneal || return 1
    for trained in 1 3 5; do
        compare "$(number $trained last blend)" = 0 && compare "$(number $trained last true_cosine)" = 1 || return 1
    done
    compare "$(number 3 first blend)" = 0.5 &&
        compare "$(number 3 first true_ratio)" = "$(number 2 first true_ratio)" || return 1
    compare "$(number 1 first blend)" = 1 &&
        compare "$(number 1 first true_ratio)" = "$(number 0 first true_ratio)" &&
        compare "$(number 0 last true_cosine)" '<' 0.999
}

# Evaluated with the mean slope, here 1/4; trained with slopes that are drawn, unless there is but one to draw.
draws_slopes() {
    trains_small --activations 'rrelu(lower=0.125,upper=0.375),leaky_relu(negative_slope=0.25)' \
        --activation 'rrelu(lower=0.25,upper=0.25)' || return 1
    compare "$(number 0 first loss)" = "$(number 1 first loss)" &&
        compare "$(number 0 last loss)" '!=' "$(number 1 last loss)" &&
        compare "$(number 2 last loss)" = "$(number 1 last loss)" &&
        compare "$(member 0 random_blocks)" = $((240 * 2 * 250 * 32 / 4)) &&
        compare "$(member 1 random_blocks)" = 0
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
check 'watches units' watches
check 'saves gradients' saves_gradients
check 'learns parameters' learns
check 'learns parameters by default' learns_by_default
check 'anneals' anneals
check 'draws slopes' draws_slopes
damaged_data
check 'refuses an unknown option' refuses --no-such-option
check 'refuses an unknown activation' refuses --activation relu~bsilo
check 'refuses 0 epochs' refuses --epochs 0
check 'refuses a missing scenario' refuses --scenario "$folder/missing"
check 'refuses a scenario twice' refuses --scenario low --scenario both
check 'refuses an unknown key' scenario_with 'rate = 1' "unknown key 'rate'"
check 'refuses a line without =' scenario_with 'bias' "'bias', expected key = value"
check 'refuses a number that is none' scenario_with 'bias = low' "bias 'low', expected a number"
check 'refuses a choice that is none' scenario_with 'batch-normalisation = 1' \
    "batch-normalisation '1', expected yes or no"
check 'refuses to save a gradient without bounds' refuses --activation relu_squared --save-gradient
check 'refuses to learn where nothing can be learned' refuses --activation relu --learn
check 'refuses to anneal without a surrogate' refuses --activation relu --anneal
check 'refuses a missing folder' refuses --data "$folder/missing"
check 'refuses damaged images' refuses --data "$folder/data"
rm -rf "$folder/data"
check_summary
