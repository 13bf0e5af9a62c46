#!/usr/bin/env bash
# Makes the pictures of README and slides from the running program: a real ring with its windows, on a screen that nobody
# sees, used through its console and its keyboard. Usage: scripts/screenshots.sh [--vers DOSSIER] (default: docs/img).
# Every step waits for what it caused, in the trace of a site or on the screen; nothing but the pictures is left.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
readonly width=1280 height=800 patience=60 # pixels; seconds that anything may take on a machine that is very busy
export LC_ALL=C.UTF-8

fail() {
    printf 'scripts/screenshots.sh : %s\n' "$1" >&2
    exit "${2:-1}"
}

case ${1:-} in
    '') pictures=$root/docs/img ;;
    --vers) pictures=${2:?"scripts/screenshots.sh : --vers veut le nom d'un dossier"} ;;
    *) fail "$1 : option inconnue ; usage : scripts/screenshots.sh [--vers DOSSIER]" 2 ;;
esac
for needed in Xvfb:xvfb xdotool:xdotool import:imagemagick; do
    command -v "${needed%:*}" > /dev/null || fail "il manque ${needed%:*} : apt install ${needed#*:}" 2
done
mkdir -p -- "$pictures"

work=$(mktemp -d)
mine=() # processes that were started here
clean_up() {
    exec 3>&- # the console is at its end: the launcher stops its sites
    for ((i = ${#mine[@]} - 1; i >= 0; i--)); do
        kill "${mine[i]}" 2> /dev/null || true
        wait "${mine[i]}" 2> /dev/null || true
    done
    rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# ------------------------------------------------------------------------------------------------- to wait, and to look

# until_true WHAT COMMAND...: waits until the command succeeds; WHAT is for the user.
until_true() {
    local what=$1 deadline=$((SECONDS + patience))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "attendu en vain : $what ; journal :
$(tail -n 5 "$work/log")"
        sleep 0.05
    done
}

# happened SITE PATTERN [COUNT]: the trace of the site has lines that match.
happened() {
    local found
    found=$(grep -c -- "$2" "$work/essai/$1.trace.jsonl" 2> /dev/null) || true
    ((${found:-0} >= ${3:-1}))
}

await() { until_true "$1 : $2" happened "$@"; }

# Of a window that goes away while it is looked for, xdotool complains on stderr.
window() { xdotool search --onlyvisible --name "^$1 " 2> /dev/null; }

say() { printf '%s\n' "$*" >&3; }

# press SITE KEYS...: as its user would. There is no window manager: the keyboard is given to the window.
press() {
    xdotool windowraise "$(window "$1")" windowfocus --sync "$(window "$1")" key --delay 60 "${@:2}"
}

# place SITE X Y WIDTH HEIGHT
place() { xdotool windowmove "$(window "$1")" "$2" "$3" windowsize "$(window "$1")" "$4" "$5"; }

# alike A B SHARE: at most this share of their pixels differ, in percent.
alike() {
    local differing total
    total=$(identify -format '%[fx:w*h]' "$1")
    differing=$(compare -metric AE -fuzz 2% "$1" "$2" null: 2>&1 | cut -d' ' -f1) || true
    awk -v d="${differing:-x}" -v t="$total" -v s="$3" 'BEGIN { exit !(d ~ /^[0-9]/ && d * 100 <= t * s) }'
}

# It stands still when two looks at it are alike: seconds that are counted down change less than half a percent.
stands_still() {
    mv "$work/now.png" "$work/before.png"
    import -silent -window "$1" "$work/now.png"
    alike "$work/before.png" "$work/now.png" 0.5
}

is_news() {
    stands_still "$1" && { [ ! -f "$work/last.$1.png" ] || ! alike "$work/last.$1.png" "$work/now.png" 1; }
}

# picture NAME WINDOW: as soon as the window shows something new, and stands still.
picture() {
    import -silent -window "$2" "$work/now.png"
    until_true "du nouveau dans la fenêtre, pour $1" is_news "$2"
    cp "$work/now.png" "$work/last.$2.png"
    convert "$work/now.png" -strip "$pictures/$1.png"
}

# -------------------------------------------------------------------------------------------------- a screen, and a ring

mkfifo "$work/display" "$work/console"
exec 4<> "$work/display" 3<> "$work/console"
Xvfb -displayfd 4 -screen 0 "${width}x${height}x24" -nolisten tcp -noreset 2> /dev/null 3>&- &
mine+=($!)
read -rt "$patience" -u 4 number || fail "Xvfb ne démarre pas"
export DISPLAY=:$number

"$root/scripts/launch_ring.sh" --dossier "$work/essai" --console --lang=fr --cable "c1->c2" \
    --guichet "--delai=90 --delai-instantane=300" < "$work/console" > "$work/log" 2>&1 3>&- &
mine+=($!)
for site in gch c1 c2 c3; do
    until_true "la fenêtre de $site" window "$site" > /dev/null
    await "$site" '"ev":"recv".*"type":"presence"' # it is alive in its window
done

# ----------------------------------------------------------------------------------------- a client: search, offer, ticket

place c1 0 0 720 450 # small, so that its letters are large on a slide
xdotool windowraise "$(window c1)" windowfocus --sync "$(window c1)"
xdotool type --delay 40 "Compiègne"
press c1 Tab
xdotool type --delay 40 "Paris Gare du Nord"
press c1 Return
await c1 '"state":"listed"'
picture client-recherche "$(window c1)"

say 'c1 reserver depart=Compiègne destination="Paris Gare du Nord"'
await c1 '"state":"offered"'
picture client-offre "$(window c1)"

press c1 alt+c
await c1 '"state":"owned"'
press c1 ctrl+2
picture client-billets "$(window c1)"
place c1 0 0 860 450
press c1 ctrl+3
picture messages "$(window c1)"

# -------------------------------------------------------------------------------------------------------- all of the ring

press c1 ctrl+1
place gch 0 0 $((width / 2)) $((height / 2))
place c1 $((width / 2)) 0 $((width / 2)) $((height / 2))
place c2 0 $((height / 2)) $((width / 2)) $((height / 2))
place c3 $((width / 2)) $((height / 2)) $((width / 2)) $((height / 2))
say 'c2 reserver destination=Creil'
await c2 '"state":"offered"'
say 'c2 confirmer demande=1'
await c2 '"state":"owned"'
press c2 ctrl+2
say 'c3 consulter depart=Noyon'
await c3 '"state":"listed"'
say 'c1 reserver depart=Creil'
await c1 '"state":"offered"' 2
picture anneau root

# ------------------------------------------------------------------------------------------------ the guichet: its tickets

place gch 0 0 900 520
press gch ctrl+1
picture guichet "$(window gch)"
press gch ctrl+2
picture guichet-ventes "$(window gch)"

# -------------------------------------------------------------------- a snapshot: a link stands still, so the round stays open

place gch 0 0 840 500
press gch ctrl+5
say 'pause c1->c2'
say 'c3 reserver destination=Amiens' # its offer waits in the link, and so does what c1 asks
await gch '"ev":"ticket".*"state":"held","client":"c3"'
say 'c1 consulter depart=Noyon limite=1'
await c1 '"kind":"consult","state":"asked"' 2
say 'c2 instantane'
await c1 '"ev":"snapshot".*"phase":"recorded"'
await gch '"ev":"recv".*"peer":"c[23]","type":"snapshot"' 2
picture instantane-en-cours "$(window gch)"

say 'reprendre c1->c2'
await gch '"ev":"snapshot".*"phase":"complete"'
picture instantane "$(window gch)"
press gch shift+Tab Right Right # from the tabs of the window back to those of the snapshot
picture instantane-canaux "$(window gch)"

# --------------------------------------------------------- the same run as a diagram, and as traces, from which the slides draw

mkdir -p -- "$pictures/traces"
for site in gch c1 c2 c3; do
    grep -v '"ev":"\(relay\|drop\|state\)"' "$work/essai/$site.trace.jsonl" | sed "s|$work/essai/||" \
        > "$pictures/traces/$site.trace.jsonl"
done
PYTHONPATH=$root "${PYTHON:-python3}" -P -m lib.diagram "$pictures/traces" --tour=1 --sans=presence,snapshot,reset --lang=fr \
    -o "$pictures/instantane-diagramme.svg"
