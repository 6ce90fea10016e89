#!/bin/sh
# Sets the course up from the files beside this script, without a network:
#     sh set-up.sh [FOLDER]         FOLDER: where the course shall lie, by default gan-course in your home
#     PYTHON=python3.12 sh set-up.sh       with another Python
# What was interrupted is completed by the next call. Work that is there already stays.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$HOME/gan-course}
python=${PYTHON:-python3}

stop() {
    echo "$1" >&2
    exit 1
}

command -v make >/dev/null || stop "make is missing: install it (apt install make; macOS: xcode-select --install)."
version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))') ||
    stop "There is no $python here: install a Python of version PYTHONS, or name one: PYTHON=... sh set-up.sh"
case " PYTHONS " in
*" $version "*) ;;
*) stop "This pack is for Python PYTHONS, and $python is $version: PYTHON=... sh set-up.sh names another." ;;
esac

mkdir -p "$folder"
if [ ! -e "$folder/Makefile" ]; then # last of what is unpacked, so that it tells whether all of it is there
    tar -xzf "$here/gan-course.tar.gz" -C "$folder" --strip-components 1 --exclude gan-course/Makefile
    tar -xzf "$here/gan-course.tar.gz" -C "$folder" --strip-components 1 gan-course/Makefile
fi
if [ -z "${COURSE_DATA:-}" ] && [ ! -e "$folder/data" ] && [ -d "$here/data" ]; then
    rm -rf "$folder/data.part"
    mkdir "$folder/data.part"
    for set in "$here"/data/*/; do cp -R "${set%/}" "$folder/data.part"; done
    mv "$folder/data.part" "$folder/data"
fi

# As an address, because pip takes a path with a space in it for two.
links=$("$python" -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$here/wheels")
cd "$folder"
PIP_NO_INDEX=1 PIP_FIND_LINKS=$links make --no-print-directory setup PYTHON="$python"
echo "Done. From now on: cd $folder && make lab"
[ ! -d "$here/book" ] || echo "The book: $here/book/index.html"
