#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Rust, and the harness.
set -euo pipefail
cd "${AUTOGRADER:-/autograder}/source/course"
export DEBIAN_FRONTEND=noninteractive RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo
apt-get update
apt-get install -y --no-install-recommends ca-certificates curl gcc libc6-dev util-linux
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
    sh -s -- -y --no-modify-path --profile minimal
/usr/local/cargo/bin/cargo build
