from pathlib import Path

import pytest

from instruments import all_instruments

NOTICE = Path(__file__).parents[2] / "NOTICE"


@pytest.mark.parametrize("instrument", all_instruments(), ids=str)
def test_notice_gives_the_copyright_and_terms_of_every_instrument(instrument):
    text = NOTICE.read_text(encoding="utf-8")
    flowing = " ".join(text.split())

    assert f"{instrument.title} ({instrument})\n{instrument.copyright}\n" in text
    assert f"Terms: {instrument.licence.terms}" in flowing
