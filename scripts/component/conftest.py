"""One stand-in SDK for all tests, a project of its own for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from project import Project, make_sdk


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    make_sdk(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, sdk: Path) -> Project:
    return Project(tmp_path / "firmware", sdk)


@pytest.fixture
def linked(project: Project) -> Project:
    """A project with a link to the repository among its folders."""
    project.link_component()
    return project
