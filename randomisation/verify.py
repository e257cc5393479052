"""The stand-alone verifier: a revealed scheme's package, checked with Python's standard library alone (3.4).

`python -m randomisation.verify PACKAGE.json`, or `python3 hedgerow-verify.pyz PACKAGE.json` from an empty folder.
It needs no server, no database and no network. Exit status: 0 all agrees, 1 something differs, 2 cannot be read.
"""

import argparse
import json
import sys
from pathlib import Path

from randomisation.engine.findings import Report
from randomisation.engine.replay import verify
from randomisation.errors import PackageError


def main(arguments: list[str] | None = None) -> None:
    """Check the package named on the command line, and end the process with the status."""
    parser = argparse.ArgumentParser(
        prog="hedgerow-verify", description="Compute every allocation of a revealed scheme again, and compare."
    )
    parser.add_argument("package", type=Path, metavar="PACKAGE.json", help="the package that the reveal published")
    path = parser.parse_args(arguments).package
    try:
        report = verify(_read(path))
    except PackageError as error:
        sys.stderr.write(f"{path} cannot be verified: {error}\n")
        sys.exit(2)
    sys.stdout.write("\n".join(_lines(report)) + "\n")
    sys.exit(1 if report.differences else 0)


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise PackageError("", f"it could not be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise PackageError("", "it is not JSON in UTF-8.") from None


def _lines(report: Report) -> list[str]:
    n_differences = len(report.differences)
    agree = f"All {report.n_allocations} allocations agree."
    differ = "1 difference." if n_differences == 1 else f"{n_differences} differences."
    return [
        f"Commitments: {report.n_commitments} of {report.n_revisions} open with secret and parameters.",
        f"Log entries: {report.n_events}.",
        f"Allocations: {report.n_allocations}.",
        f"Last digest: {report.digest_head or 'none'}",
        *(f"- {difference}" for difference in report.differences),
        differ if n_differences else agree,
    ]


if __name__ == "__main__":
    main()
