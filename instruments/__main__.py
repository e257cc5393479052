"""`python -m instruments`: score answers, or check definition files, without a database."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from instruments.batch import UnreadableFile, json_lines, read_forms, table
from instruments.catalogue import UnknownInstrument, get
from instruments.model import Instrument
from instruments.schema import DefinitionError, load
from instruments.scoring import score


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 a line or file was refused, 2 could not start."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (as `head` does); Python would complain again on closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (DefinitionError, UnknownInstrument, UnreadableFile) as error:
        _complain(str(error))
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m instruments", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    scoring = commands.add_parser("score", help="score a CSV or JSON-lines file of answers")
    scoring.add_argument("instrument", metavar="CODE", help="a code of the library, or the path of a definition file")
    scoring.add_argument("file", metavar="FILE", help="the answers, one form a line; - reads standard input")
    scoring.add_argument("--csv", action="store_true", help="write a table instead of JSON lines")
    scoring.set_defaults(run=_score)
    checking = commands.add_parser("check", help="check definition files")
    checking.add_argument("files", metavar="FILE", nargs="+", type=Path)
    checking.set_defaults(run=_check)
    return parser


def _score(options: argparse.Namespace) -> int:
    instrument = _instrument(options.instrument)
    write = (table if options.csv else json_lines)(instrument, sys.stdout)
    n_unreadable = 0
    for form in read_forms(options.file, instrument):
        if form.unreadable:
            _complain(f"line {form.line}: {form.unreadable}")
            n_unreadable += 1
        else:
            write(form.line, score(instrument, form.answers))
    return 1 if n_unreadable else 0


def _instrument(given: str) -> Instrument:
    """A definition by its path, which has a folder or an ending in it, or by its code, which has neither."""
    is_path = given.endswith(".json") or Path(given).name != given
    return load(Path(given)) if is_path else get(given)


def _check(options: argparse.Namespace) -> int:
    n_refused = 0
    for path in options.files:
        try:
            sys.stdout.write(f"{path}: {load(path)} is usable\n")
        except DefinitionError as error:
            _complain(str(error))
            n_refused += 1
    return 1 if n_refused else 0


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
