"""dev/release.py: its texts, and what it refuses."""

import pytest

import release
from conftest import ROOT

SECTIONS = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- x\n\n## [0.1.0] - 2026-11-23\n"


def test_the_version_is_set_in_one_place() -> None:
    text = '"""Doc."""\n\n__version__ = "0.1.0"\n__all__ = []\n'
    assert release.with_version(text, "0.2.0") == text.replace("0.1.0", "0.2.0")
    with pytest.raises(release.Refused, match="exactly once"):
        release.with_version(text + text, "0.2.0")
    release.with_version((ROOT / release.INIT).read_text(encoding="utf-8"), "9.9.9")


def test_the_changelog_has_the_section() -> None:
    release.check_changelog(SECTIONS, "0.2.0", dry_run=False)
    release.check_changelog(SECTIONS.replace("## [Unreleased]\n\n", ""), "0.2.0", dry_run=False)
    release.check_changelog(SECTIONS, "0.3.0", dry_run=True)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.3.0", r"no section `## \[0\.3\.0\] - YYYY-MM-DD`"),
        ("Unreleased", "no section"),
        ("0.1.0", r"the newest section of CHANGELOG\.md is 0\.2\.0"),
    ],
)
def test_a_changelog_without_the_section_is_refused(version: str, words: str) -> None:
    with pytest.raises(release.Refused, match=words):
        release.check_changelog(SECTIONS.replace("## [Unreleased]\n\n", ""), version, dry_run=False)


def test_a_section_without_a_date_is_refused() -> None:
    with pytest.raises(release.Refused, match="no section"):
        release.check_changelog("## [0.2.0]\n", "0.2.0", dry_run=False)


PAGE = "[a](docs/a.md#b) [b](https://x.org/) [c](#d) ![e](docs/e.png) `f`(g) [h](<i j>)\n"


def test_links_are_absolute() -> None:
    urls = {"Homepage": "https://h.org/p/", "Source": "https://s.org/p/"}
    page = release.with_absolute_links(PAGE, {"urls": urls}, "0.2.0")
    assert page.startswith("[a](https://s.org/p/blob/v0.2.0/docs/a.md#b) [b](https://x.org/) [c](#d)")
    assert "![e](https://s.org/p/blob/v0.2.0/docs/e.png) `f`(g)" in page


def test_without_a_public_repository_links_go_to_the_files_of_the_project() -> None:
    page = release.with_absolute_links(PAGE, {"urls": {"Homepage": "https://h.org/p/"}}, "0.2.0")
    assert page.startswith("[a](https://h.org/p/#files) [b](https://x.org/) [c](#d)")


def test_every_relative_link_of_the_readme_is_a_file_and_is_replaced() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = release.LINK.findall(text)
    page = release.with_absolute_links(text, {"urls": {"Homepage": "https://h.org/"}}, "1")
    assert release.LINK.findall(page) == []
    assert [link for link in links if not (ROOT / link.split("#")[0]).exists()] == []


def test_the_test_command_is_that_of_the_readme() -> None:
    command = release.test_command((ROOT / "README.md").read_text(encoding="utf-8"))
    assert command.startswith("python3 -m venv .venv && ")
    assert command.endswith("dev/check.py")
    with pytest.raises(release.Refused, match="lost its test command"):
        release.test_command("")


def test_what_a_source_distribution_lacks_is_named() -> None:
    assert release.missing(["a", "b/c"], ["PKG-INFO", "b/c"]) == ["a"]


def test_a_release_needs_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        release.main([])
    assert "a release needs its version" in capsys.readouterr().err


def test_why_there_is_no_release_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["99.0.0"]) == 1
    assert "CHANGELOG.md has no section `## [99.0.0] - YYYY-MM-DD`" in capsys.readouterr().err
