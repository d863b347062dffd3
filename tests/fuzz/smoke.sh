#!/usr/bin/env bash
# Every fuzz target for a moment, over the recorded fixtures and what is made out of them. Arguments go on to the driver
# (`smoke.sh --seconds 600 --target frame`); the seed it prints gives the same inputs again.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --quiet --release --package witgate-fuzz -- "$@"
