#!/usr/bin/env bash
# Two agents contradict each other, and a person decides: a policy that ends in `manual`.
#
#   parked_conflict.sh
#
# Documents of two writers are merged where they agree. Ada and bob each name another place, so bob's
# waits as conflict C1, and he is told. Ada's stands until a person has looked at both and says what
# is right. Starts a coordinator of its own and removes all of it at the end.

set -euo pipefail
waggle=${WAGGLE:-waggle}
directory=$(mktemp -d)
coordinator=

clean_up() {
  if [ -n "$coordinator" ]; then
    kill "$coordinator" 2>/dev/null || true
    wait "$coordinator" 2>/dev/null || true
  fi
  rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "parked_conflict: $*" >&2
  exit 1
}
# The text in field $1 of a line of JSON.
field() {
  [[ $2 =~ \"$1\":\"([^\"]*)\" ]] || fail "no $1 in $2"
  echo "${BASH_REMATCH[1]}"
}

# One run of agent $1 with the operations on standard input; what follows says where it is. Its
# directory keeps what it knew and what it wrote.
agent() {
  "$waggle" agent run --id "$1" --data "$directory/$1" "${@:2}" 2>>"$directory/messages"
}
# What agent $1 reads, once it holds revision $2.
reads() {
  echo "{\"op\":\"get\",\"key\":\"plan/nest\",\"at_least\":$2,\"timeout\":\"30s\"}" | agent "$1"
}
# What agent $1 writes where it hears nobody; it waits in its directory.
writes_alone() {
  echo "{\"op\":\"put\",\"key\":\"plan/nest\",\"value\":$2}" |
    agent "$1" --coordinator "ipc://$directory/nobody" --drain 0s | grep '"queued"' >/dev/null ||
    fail "$1 could not write"
}
# What agent $1 is told of that write when it is back.
is_back() {
  agent "$1" --drain 30s </dev/null | grep '"settled"' || fail "$1 got no answer"
}

export WAGGLE_SWARM=bees WAGGLE_COORDINATOR="ipc://$directory/waggle.sock" WAGGLE_TIMEOUT=30s
cat >"$directory/waggle.toml" <<'END'
[[policy]]
prefix = "plan/"
strategy = "merge"
otherwise = "manual"
END
"$waggle" serve --listen "$WAGGLE_COORDINATOR" --data "$directory/coordinator" \
  --config "$directory/waggle.toml" >"$directory/serve.out" 2>&1 &
coordinator=$!
revision=$("$waggle" state put plan/nest '{"goal":"find a nest","where":"unknown"}' --type json)
for name in ada bob; do reads "$name" "$revision" >/dev/null; done

# Neither has seen what the other writes.
writes_alone ada '{"goal":"find a nest","where":"the oak","dry":true}'
writes_alone bob '{"goal":"find a nest","where":"the barn","wasps":0}'
is_back ada >/dev/null
told=$(is_back bob)
[[ $told == *'"code":"parked"'*'"conflict":"field_conflict"'* ]] || fail "bob is told $told"
conflict=$(field parked "$told")
echo "bob is told: $(field text "$told")"

echo "what waits:"
"$waggle" conflict ls 'plan/*'
"$waggle" conflict show "$conflict"
"$waggle" conflict diff "$conflict"
echo "meanwhile: $("$waggle" state get plan/nest)"

# Both places can't be right; what else they found out can.
if "$waggle" conflict resolve "$conflict" --take merged 2>"$directory/refused"; then
  fail "a contradiction was merged"
fi
cat "$directory/refused"
revision=$("$waggle" conflict resolve "$conflict" \
  --value '{"goal":"find a nest","where":"the barn","dry":true,"wasps":0}')
settled=$("$waggle" state get plan/nest)
echo "settled: $settled"

[ "$settled" = '{"dry":true,"goal":"find a nest","wasps":0,"where":"the barn"}' ] ||
  fail "this is not what the person said"
[[ $("$waggle" conflict ls --json) == '{"conflicts":[]}' ]] || fail "a conflict still waits"
for name in ada bob; do
  reads "$name" "$revision" | grep '"where":"the barn"' >/dev/null || fail "$name does not know"
done
echo "ada and bob know it"
