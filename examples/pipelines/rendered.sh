#!/usr/bin/env bash
# Brings what a program writes to a branch, one folder for each mesh. The same for every pipeline:
#
#   rendered.sh synth DIRECTORY     empties the directory, writes the manifests, and fails if the program or a validation of cdk8s.yaml refuses
#   rendered.sh diff DIRECTORY      prints what the branch would change
#   rendered.sh publish DIRECTORY   makes one commit on the branch, or none
#
# RENDERED_BRANCH (rendered) and SOURCE_BRANCH (main) are branches of the remote `origin`. Nothing is forced, nothing is checked out.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C

fail() {
  echo "rendered.sh: $*" >&2
  exit 1
}

[ $# -eq 2 ] || fail "usage: rendered.sh synth|diff|publish DIRECTORY"
command=$1
mkdir -p -- "$2"
out=$(cd -- "$2" && pwd -P)
branch=${RENDERED_BRANCH:-rendered}
source_branch=${SOURCE_BRANCH:-main}
empty_tree=$(git hash-object -t tree /dev/null)
[ "$branch" != "$source_branch" ] || fail "$branch cannot be source and target"
case $(pwd -P)/ in "${out%/}/"*) fail "$out holds more than manifests" ;; esac

# An empty folder would take everything down. What is not a manifest has no business in the cluster's branch.
check() {
  local other
  [ -n "$(find "$out" -type f -name '*.k8s.yaml' -print -quit)" ] || fail "$out holds no manifest: run synth first, or name its directory. The last mesh is taken down by hand"
  other=$(cd "$out" && find . \( -path '*/.*' -o ! -type d ! \( -type f -path './*/*' \( -name '*.k8s.yaml' -o -name no-manifests \) \) \) -print -quit)
  [ -z "$other" ] || fail "only <mesh>/….k8s.yaml belongs to $out, not $other"
}

synth() {
  local other
  PATH="$PWD/node_modules/.bin:$PATH" command -v cdk8s > /dev/null || fail "there is no cdk8s: install cdk8s-cli, for example with npm ci"
  other=$(find "$out" -type f ! -name '*.k8s.yaml' ! -name no-manifests ! -name construct-metadata.json -print -quit)
  [ -z "$other" ] || fail "synth empties $out, and $other is no manifest: name a directory for manifests alone"
  rm -rf -- "$out"
  PATH="$PWD/node_modules/.bin:$PATH" cdk8s synth --no-check-upgrade --output "$out"
  # What tells a report which construct wrote an object is no manifest.
  find "$out" -type f -name construct-metadata.json -delete
  # Git keeps no empty folder, and Flux does not prune what was in a folder that is gone.
  find "$out" -type d -empty -exec sh -c 'echo "this chart has no objects" > "$1/no-manifests"' _ {} \;
  check
}

# The directory as a tree of Git, through an index of its own: exactly what is there, so that what is gone is gone.
tree_of_directory() {
  local git_dir scratch
  git_dir=$(git rev-parse --absolute-git-dir)
  scratch=$(mktemp -d)
  GIT_DIR=$git_dir GIT_WORK_TREE=$out GIT_INDEX_FILE=$scratch/index \
    git -C "$out" -c core.autocrlf=false -c core.fileMode=false -c core.attributesFile=/dev/null add --all --force .
  GIT_INDEX_FILE=$scratch/index git write-tree
  rm -rf -- "$scratch"
}

head_of() { # head_of BRANCH: its commit at the remote, or nothing
  git ls-remote origin "refs/heads/$1" | awk -v ref="refs/heads/$1" '$2 == ref { print $1 }'
}

fetch_tip() { # sets tip: the last commit of the branch, or nothing
  local depth=()
  tip=$(head_of "$branch")
  if [ -n "$tip" ]; then
    # Only a clone that is shallow already: in another one it would hide the history of the branch.
    [ "$(git rev-parse --is-shallow-repository)" = false ] || depth=(--depth=1)
    git fetch --quiet --no-tags "${depth[@]}" origin "refs/heads/$branch"
    tip=$(git rev-parse --verify FETCH_HEAD)
  fi
}

show_diff() {
  check
  local tree
  tree=$(tree_of_directory)
  fetch_tip
  git --no-pager diff --no-color --no-ext-diff --no-textconv --no-renames --stat=120 --patch "${tip:-$empty_tree}" "$tree"
}

commit_of() { # commit_of TREE: the same for the same source and the same tip
  local tree=$1 source date
  source=$(git rev-parse HEAD)
  date=$(git show -s --format=%cI HEAD)
  {
    printf 'Manifests of %.12s\n\n' "$source"
    git diff-tree --name-only "${tip:-$empty_tree}" "$tree" | sed 's/^/Mesh: /'
    printf 'Source-Commit: %s\n' "$source"
  } | GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-rendered.sh} GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-rendered@localhost} GIT_AUTHOR_DATE=$date \
    GIT_COMMITTER_NAME=${GIT_COMMITTER_NAME:-rendered.sh} GIT_COMMITTER_EMAIL=${GIT_COMMITTER_EMAIL:-rendered@localhost} GIT_COMMITTER_DATE=$date \
    git commit-tree ${tip:+-p "$tip"} "$tree"
}

# A run may be late. Only the head of the source branch is written: the branch's commit is read first and the head after it, so that whoever
# wrote in between makes the push fail, and then everything is looked at again.
publish() {
  check
  local source head tree old commit refused=never
  source=$(git rev-parse HEAD)
  tree=$(tree_of_directory)
  while true; do
    fetch_tip
    head=$(head_of "$source_branch")
    if [ "$head" != "$source" ]; then
      echo "$source is not the head of $source_branch, ${head:-nothing} is: nothing is written here"
      return
    fi
    old=$(git rev-parse "${tip:-$empty_tree}^{tree}")
    if [ "$old" = "$tree" ]; then
      echo "$branch holds these manifests already"
      return
    fi
    [ "$tip" != "$refused" ] || fail "the push to $branch was refused, and nobody else has written"
    commit=$(commit_of "$tree")
    if git push --quiet origin "$commit:refs/heads/$branch"; then
      git --no-pager show --stat=120 --no-color --no-renames "$commit"
      return
    fi
    refused=$tip
  done
}

case $command in
  synth) synth ;;
  diff) show_diff ;;
  publish) publish ;;
  *) fail "unknown command $command: use synth, diff or publish" ;;
esac
