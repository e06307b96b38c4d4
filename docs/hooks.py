"""What lies beside the folder of the documents goes into the site, too: reports, and what is linked to."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "costlab/counting/conventions/README.md")
UPWARD = re.compile(r"(?<=\]\()\.\./(?=[\w/.-]+)")
LINK = re.compile(r"\]\(([\w/.-]+)(?:#[\w-]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that lie above the folder of the documents, and those that they lead to."""
    root = Path(config.config_file_path).parent
    named = [root / name for name in BESIDE]
    for form in ("md", "png"):
        named += sorted((root / "reports").glob(f"*.{form}"))
    linked = [(page.parent / link).resolve() for page in named for link in _links(page)]
    for path in dict.fromkeys([*named, *linked]):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith("docs/"):
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links that leave the folder of the documents: in the site what they lead to lies in it."""
    if "/" in page.file.src_uri:  # a page below, whose links stay inside; or a report
        return markdown
    return UPWARD.sub("", markdown)


def _links(page: Path) -> list[str]:
    return LINK.findall(page.read_text("utf-8")) if page.suffix == ".md" else []
