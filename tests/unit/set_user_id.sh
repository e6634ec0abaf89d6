# A set-user-id program ignores SUGAR_LEVEL: its user must not have a say in what it does.
#
#     sh set_user_id.sh PROGRAM FOLDER
#
# PROGRAM is level_in_use. A copy of it in FOLDER is given to another user, which takes root.
set -eu
program=$1
folder=$2
. "$(dirname "$0")/../check.sh"

[ "$(id -u)" = 0 ] || { echo 'skipped: only root can give a program to another user'; exit 77; }
mkdir -p "$folder"
cp "$program" "$folder/set-user-id"
chown 65534 "$folder/set-user-id"
chmod 4755 "$folder/set-user-id"

prints() { [ "$(SUGAR_LEVEL=scalar "$2")" = "$1" ]; }

best=$(env -u SUGAR_LEVEL "$program")
[ "$best" != scalar ] || { echo 'skipped: this machine has no level but scalar'; exit 77; }
[ "$("$folder/set-user-id")" = "$best" ] || { echo 'skipped: programs do not run there'; exit 77; }
check 'a program heeds SUGAR_LEVEL' prints scalar "$program"
check 'a set-user-id program does not' prints "$best" "$folder/set-user-id"
check_summary
