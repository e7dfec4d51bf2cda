"""A course and the form as frontends live them, with supabase-py and with supabase-js."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.clients import formations
from tests.clients.formations import Given

if TYPE_CHECKING:
    from supabase import Client
    from tests.stacks import Stack

SCRIPT = Path(__file__).with_name("formations.mjs")
MODULES = ["Découvrir", "Ranger", "Planifier", "Automatiser", "Partager"]
ANSWERS = {
    "metier_activite": "Céramiste",
    "statut_professionnel": "independant",
    "objectif_principal": "structurer",
    "projet_concret": "Suivre mes commandes",
    "niveau_general": 2,
    "niveau_sujet": 1,
    "heures_semaine": "1_2",
    "jours_preferes": ["lundi"],
    "modalite": "distance",
    "accompagnement": "individuel",
    "equipement": ["mac"],
    "financement": "personnel",
    "points_importants": ["rythme"],
}

NOT_HERE = "Unauthorized: You do not have permissions to read from this Channel topic: "
EXPECTED: dict[str, Any] = {
    "dragged to the top": ["Partager", "Découvrir", "Ranger", "Planifier", "Automatiser"],
    "dropped in order": MODULES,
    "a client at the door of staff": f"{NOT_HERE}submissions-admin",
    "staff see it come": [["pending", True]],
    "staff find it": [True, "Mon atelier en ordre", "pending"],
    "a stale snapshot": ["CONFLICT", "Ce parcours a changé depuis sa soumission.", 1],
    "refreshed": True,
    "a double click": True,
    "a stranger at the door": f"{NOT_HERE}kanban:…",
    "the board at first": [
        ["todo", title, 30] for title in ("Premiers pas", "Ranger", "Planifier", "Automatiser",
                                          "Partager")
    ],
    "the board at last": [["done", place] for place in range(5)],
    "each screen shows it": [True, True],
    "both heard the same": True,
    "the form": [10, "draft"],
    "two tabs": [
        [],
        "CONFLICT",
        "Tes réponses ont été modifiées dans un autre onglet.",
        {"metier_activite": "Potière"},
        ["inconnu"],
    ],
    "an unfinished form": [
        "INVALID",
        "Certaines réponses sont à revoir.",
        14,
        {"slug": "motivation", "problem": "range", "message": "Choisis entre 1 et 10."},
    ],
    "a finished form": "submitted",
    "the brief": [
        "Brief & Profil",
        "Mes préférences de formation",
        True,
        {
            "label": "Ton profil et ton activité",
            "answers": [
                {"question": "Quel est ton métier ou ton activité ?", "answer": "Céramiste"},
                {"question": "Quel est ton statut ?", "answer": "Indépendant ou indépendante"},
            ],
        },
    ],
    "a stranger's look": ["FORBIDDEN", "Tu ne vois que tes propres réponses."],
}  # fmt: skip


def make_palette(staff: Client) -> list[str]:
    """A theme with the modules to compose of: their ids, in order."""
    name = f"Atelier {uuid4().hex[:6]}"
    [family] = insert(staff, "builder_families", {"name": name})
    [theme] = insert(staff, "builder_subfamilies", {"family_id": family, "name": name})
    rows = (
        {"subfamily_id": theme, "title": title, "duration_minutes": 30, "position": place}
        for place, title in enumerate(MODULES)
    )
    return insert(staff, "builder_modules", *rows)


def insert(staff: Client, table: str, *rows: dict[str, Any]) -> list[str]:
    made: Any = staff.table(table).insert([*rows]).execute().data
    return [row["id"] for row in made]


@pytest.fixture
def given(stack: Stack) -> Given:
    """A client, an admin and a stranger, all new, and a palette."""
    pages = {
        "ada": stack.person(name="Ada"),
        "admin": stack.person("admin"),
        "stranger": stack.person(name="Eve"),
    }
    sessions = {name: page.auth.get_session() for name, page in pages.items()}
    tokens = {name: session.access_token for name, session in sessions.items() if session}
    modules = make_palette(pages["admin"])
    return Given(stack.api_url, stack.publishable_key, tokens, modules, ANSWERS)


# It logs a lost connection by an attribute that `websockets` would have it read elsewhere.
@pytest.mark.filterwarnings("ignore:ConnectionClosed:DeprecationWarning")
def test_a_course_and_the_form_with_supabase_py(given: Given) -> None:
    assert asyncio.run(formations.live(given)) == EXPECTED


def test_a_course_and_the_form_with_supabase_js(given: Given, js_folder: Path) -> None:
    shutil.copy(SCRIPT, js_folder)

    done = subprocess.run(
        ["node", str(js_folder / SCRIPT.name), json.dumps(asdict(given))],
        capture_output=True,
        encoding="utf-8",
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == EXPECTED
