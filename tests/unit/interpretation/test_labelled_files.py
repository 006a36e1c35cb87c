import argparse
from pathlib import Path

import pytest

from lociflow.interpretation.labelled_files import labelled_argument


def test_labelled_argument() -> None:
    assert labelled_argument("danq/1=x=y.meme") == ("danq/1", Path("x=y.meme"))
    with pytest.raises(argparse.ArgumentTypeError, match="expected LABEL=FILE"):
        labelled_argument("x.meme")
