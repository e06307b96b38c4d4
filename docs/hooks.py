"""What lies beside the folder of the documents goes into the site, too: reports, and what is linked to."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "costlab/counting/conventions/README.md")
UPWARD = re.compile(r"(?<=\]\()\.\./(?=[\w/.-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that lie above the folder of the documents."""
    root = Path(config.config_file_path).parent
    reports = sorted(file for form in ("md", "png") for file in (root / "reports").glob(f"*.{form}"))
    for name in (*(f"reports/{file.name}" for file in reports), *BESIDE):
        files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links that leave the folder of the documents: in the site what they lead to lies in it."""
    if "/" in page.file.src_uri:  # a page below, whose links stay inside; or a report
        return markdown
    return UPWARD.sub("", markdown)
