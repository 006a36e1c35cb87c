"""Run the benchmarks one after the other, each in a process of its own: ``python tests/perf [NAME …] [--output FILE]``.

Each prints JSON rows; ``--output`` appends them to a file as well.
"""

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
NAMES = (
    "extraction",
    "loader",
    "labelling",
    "memory",
    "training",
    "homology",
    "attribution",
    "effects",
    "tracks",
    "planning",
)


def main() -> None:
    known = [name for name in NAMES if (FOLDER / f"{name}.py").is_file()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--output", type=Path, help="file to which the rows are appended")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"found {unknown[0]}, expected names of {', '.join(known)}")
    failed = []
    for name in arguments.names or known:
        print(f"{name} …", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], stdout=subprocess.PIPE, text=True)
        print(done.stdout, end="", flush=True)
        if arguments.output and done.stdout:
            arguments.output.parent.mkdir(parents=True, exist_ok=True)
            with arguments.output.open("a", encoding="utf-8") as handle:
                handle.write(done.stdout)
        if done.returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"error: {', '.join(failed)} failed")


if __name__ == "__main__":
    main()
