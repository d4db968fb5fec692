#!/usr/bin/env bash
# Commits the manifests of a program to a branch, with one folder for each mesh. Every pipeline uses the same script:
#
#   rendered.sh synth DIRECTORY     empties the directory and writes the manifests; fails if the program or a validation of cdk8s.yaml fails
#   rendered.sh diff DIRECTORY      prints what would change in the branch
#   rendered.sh publish DIRECTORY   creates one commit on the branch, or none if nothing has changed
#
# RENDERED_BRANCH (default: rendered) and SOURCE_BRANCH (default: main) are branches of the remote `origin`. The script never force-pushes
# and checks out nothing.
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
[ "$branch" != "$source_branch" ] || fail "$branch cannot be both the source and the target"
case $(pwd -P)/ in "${out%/}/"*) fail "$out contains more than manifests" ;; esac

# An empty directory would delete everything in the clusters. Files that are not manifests must not be in the branch.
check() {
  local other
  [ -n "$(find "$out" -type f -name '*.k8s.yaml' -print -quit)" ] || fail "$out contains no manifest: run synth first, or pass its directory. Remove the last mesh by hand"
  # ApplicationSets and Kustomizations deploy exactly these folders: a manifest elsewhere would be published, and applied nowhere.
  other=$(cd "$out" && find . \( -path '*/.*' -o -path './*/*/*/*' -o ! -type d ! \( -type f \( -path './*/*/*.k8s.yaml' -o -path './*/*' -name no-manifests \) \) \) -print -quit)
  [ -z "$other" ] || fail "$out may contain only <mesh>/<chart>/….k8s.yaml, not $other: give each mesh an App with outdir <mesh> and yamlOutputType FOLDER_PER_CHART_FILE_PER_RESOURCE"
}

synth() {
  local other
  PATH="$PWD/node_modules/.bin:$PATH" command -v cdk8s > /dev/null || fail "cdk8s is not installed: install cdk8s-cli, for example with npm ci"
  other=$(find "$out" -type f ! -name '*.k8s.yaml' ! -name no-manifests ! -name construct-metadata.json -print -quit)
  [ -z "$other" ] || fail "synth empties $out, but $other is not a manifest: use a directory that contains only manifests"
  rm -rf -- "$out"
  PATH="$PWD/node_modules/.bin:$PATH" cdk8s synth --no-check-upgrade --output "$out"
  # The construct metadata for validation reports is not a manifest.
  find "$out" -type f -name construct-metadata.json -delete
  # Git does not store empty folders, and Flux does not prune the objects of a folder that no longer exists.
  find "$out" -type d -empty -exec sh -c 'echo "this chart has no objects" > "$1/no-manifests"' _ {} \;
  check
}

# Writes the directory as a Git tree, with a temporary index. The tree has exactly the files of the directory, so removed files are removed.
tree_of_directory() {
  local git_dir scratch
  git_dir=$(git rev-parse --absolute-git-dir)
  scratch=$(mktemp -d)
  GIT_DIR=$git_dir GIT_WORK_TREE=$out GIT_INDEX_FILE=$scratch/index \
    git -C "$out" -c core.autocrlf=false -c core.fileMode=false -c core.attributesFile=/dev/null add --all --force .
  GIT_INDEX_FILE=$scratch/index git write-tree
  rm -rf -- "$scratch"
}

head_of() { # head_of BRANCH: prints its commit at the remote, or nothing
  git ls-remote origin "refs/heads/$1" | awk -v ref="refs/heads/$1" '$2 == ref { print $1 }'
}

fetch_tip() { # sets tip to the last commit of the branch, or to an empty string
  local depth=()
  tip=$(head_of "$branch")
  if [ -n "$tip" ]; then
    # Only in a shallow clone; in a complete one, --depth would hide the history of the branch.
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

commit_of() { # commit_of TREE: creates a commit, which is the same for the same source and the same tip
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

# Only the head of the source branch is published, because a run may be late. The commit of the branch is read first and the head after it.
# So a commit that arrives in between makes the push fail, and the loop reads both again.
publish() {
  check
  local source head tree old commit rejected=never
  source=$(git rev-parse HEAD)
  tree=$(tree_of_directory)
  while true; do
    fetch_tip
    head=$(head_of "$source_branch")
    if [ "$head" != "$source" ]; then
      echo "$source is not the head of $source_branch (${head:-none}), so nothing is written"
      return
    fi
    old=$(git rev-parse "${tip:-$empty_tree}^{tree}")
    if [ "$old" = "$tree" ]; then
      echo "$branch already contains these manifests"
      return
    fi
    [ "$tip" != "$rejected" ] || fail "the push to $branch was rejected, and the branch has not changed"
    commit=$(commit_of "$tree")
    if git push --quiet origin "$commit:refs/heads/$branch"; then
      git --no-pager show --stat=120 --no-color --no-renames "$commit"
      return
    fi
    rejected=$tip
  done
}

case $command in
  synth) synth ;;
  diff) show_diff ;;
  publish) publish ;;
  *) fail "unknown command $command: use synth, diff or publish" ;;
esac
