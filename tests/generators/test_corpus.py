"""Building and reading a corpus: the same bytes from the same plan, cached, private, and damage told."""

import array
import dataclasses
import json
import stat
import time
from itertools import accumulate, pairwise

import pytest

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Expectation
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators import corpus, corpus_builder
from gatecrash.generators.attacks import attacks_on
from gatecrash.generators.cases import CaseMaker
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.generators.sweep import systematic_recipes
from tests.generators.checking import TOKEN_KEY, keeps_limits

NOW = int(time.time())
FILES = (corpus.BODIES, corpus.CASES, corpus.INDEX, corpus.FACTS, corpus.MANIFEST)


@pytest.fixture(scope="module")
def plan(profiles):
    return CorpusPlan(profiles["jwt"], TOKEN_KEY, seed=1, cases=510, valid_share=0.6, minted_at=NOW)


@pytest.fixture(scope="module")
def built(plan, tmp_path_factory):
    return build_corpus(plan, tmp_path_factory.mktemp("cache"), processes=1)


def small(plan, **changes):
    return dataclasses.replace(plan, **{"cases": 20, **changes})


def bytes_of(found):
    return {name: (found.folder / name).read_bytes() for name in FILES}


def test_the_same_plan_gives_the_same_bytes_with_one_process_and_with_two(plan, built, tmp_path):
    told = []
    other = build_corpus(plan, tmp_path, told.append, processes=2)
    assert bytes_of(other) == bytes_of(built)
    assert other.manifest == built.manifest
    assert told == [250, 500, 510, 510]


def test_what_is_read_is_what_was_made(plan, built):
    maker = CaseMaker(open_profile(plan.credentials, plan.token_key_name), Mix(plan.valid_share), plan.seed, NOW)
    assert len(built) == 510
    for index in (0, 1, 249, 250, 509):
        case, meta = maker.case(index), built.meta(index)
        assert built.request(index) == case.request
        assert built.body(index) == wire.encode(wire.request_to_wire(case.request))
        assert (meta.index, meta.expectation, meta.family) == (index, case.expectation, case.family)
        assert (meta.name, meta.recipe) == (case.name, case.recipe.to_json())


def test_every_built_case_keeps_the_limits_and_counts_in_its_family(plan, built):
    families = {}
    for meta, request in built:
        assert keeps_limits(request), meta
        families[meta.family] = families.get(meta.family, 0) + 1
        assert (meta.expectation is Expectation.ALLOW) == (meta.family == "valid")
    assert families == built.manifest.families
    assert families["valid"] / 510 == pytest.approx(plan.valid_share, abs=0.1)


def test_the_manifest_holds_no_secret(built, profiles):
    text = (built.folder / corpus.MANIFEST).read_text()
    assert "a secret that only these tests use" not in text
    assert json.loads(text)["seed"] == 1


def test_another_seed_is_another_digest(plan, tmp_path):
    left, right = (build_corpus(small(plan, seed=seed), tmp_path, processes=1) for seed in (1, 2))
    assert left.manifest.digest != right.manifest.digest
    assert left.manifest.content_digest != right.manifest.content_digest


def test_at_another_time_the_digest_is_the_same_and_the_content_another(plan, tmp_path):
    left, right = (build_corpus(small(plan, minted_at=NOW + more), tmp_path, processes=1) for more in (0, 60))
    assert left.manifest.digest == right.manifest.digest
    assert left.manifest.content_digest != right.manifest.content_digest
    assert (left.manifest.minted_at, right.manifest.minted_at) == (NOW, NOW + 60)
    assert [meta for meta, _ in left] == [meta for meta, _ in right]


def test_a_profile_without_a_lifetime_is_built_once_for_all_times(plan, profiles, tmp_path):
    left = build_corpus(small(plan, credentials=profiles["password"]), tmp_path, processes=1)
    right = build_corpus(small(plan, credentials=profiles["password"], minted_at=NOW + 60), tmp_path, processes=1)
    assert left.folder == right.folder
    assert left.manifest.minted_at == 0


def test_a_share_of_1_or_0_is_all_or_none(plan, tmp_path):
    assert build_corpus(small(plan, valid_share=1.0), tmp_path, processes=1).manifest.families == {"valid": 20}
    attacks = build_corpus(small(plan, valid_share=0.0), tmp_path, processes=1).manifest.families
    assert sum(attacks.values()) == 20
    assert all(family.startswith("jwt_") for family in attacks)


def test_a_sweep_has_every_attack_and_the_drawn_cases_behind(plan, profiles, tmp_path):
    built = build_corpus(small(plan, credentials=profiles["api_key"], sweep=True, cases=30), tmp_path, processes=2)
    profile = open_profile(profiles["api_key"], None)
    fired = {key for meta, _ in built for key, _ in meta.recipe["mutations"]}
    # Keys have neither user names nor client ids to change.
    assert fired == {attack.key for attack in attacks_on(profile) if "client_id" not in attack.key} - {
        "pattern/username_repeated"
    }
    assert built.manifest.cases == len(systematic_recipes(profile, attacks_on(profile), plan.seed)) + 30


def test_a_corpus_is_for_its_owner_only(built):
    assert stat.S_IMODE(built.folder.stat().st_mode) == 0o700


def test_a_corpus_that_was_built_is_not_built_again(plan, built):
    before = {name: (built.folder / name).stat().st_mtime_ns for name in FILES}
    told = []
    again = build_corpus(plan, built.folder.parent, told.append, processes=1)
    assert again.folder == built.folder
    assert told == [510]
    assert {name: (built.folder / name).stat().st_mtime_ns for name in FILES} == before


def test_a_build_that_was_cut_off_is_built_again(plan, tmp_path):
    first = build_corpus(small(plan), tmp_path, processes=1)
    whole = bytes_of(first)
    first.close()
    (first.folder / corpus.MANIFEST).unlink()
    (first.folder / corpus.BODIES).write_bytes(whole[corpus.BODIES][:100])
    assert bytes_of(build_corpus(small(plan), tmp_path, processes=1)) == whole


@pytest.fixture
def copied(built, tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, data in bytes_of(built).items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [lambda _: None, lambda _: b"", lambda data: data[:-1], lambda data: data[: len(data) // 2 // 16 * 16]],
    ids=["missing", "empty", "a byte short", "half"],
)
def test_a_damaged_corpus_is_told_when_it_is_opened(copied, name, damage):
    data = damage((copied / name).read_bytes())
    (copied / name).unlink()
    if data is not None:
        (copied / name).write_bytes(data)
    with pytest.raises(UsageError, match=str(copied)):
        Corpus(copied)


def test_a_row_that_says_more_than_is_known_is_read(copied):
    rows = [wire.decode(line) | {"choices": "AAA="} for line in _rows(copied)]
    written = [wire.encode(row) for row in rows]
    offsets = array.array("Q", (copied / corpus.INDEX).read_bytes())
    offsets[1::2] = array.array("Q", accumulate(map(len, written), initial=0))
    (copied / corpus.CASES).write_bytes(b"".join(written))
    (copied / corpus.INDEX).write_bytes(offsets.tobytes())
    assert Corpus(copied).meta(3).name == rows[3]["name"]


def _rows(folder):
    cases = (folder / corpus.CASES).read_bytes()
    ends = array.array("Q", (folder / corpus.INDEX).read_bytes())[1::2]
    return [cases[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("manifest", [b"[]", b"null", b"{}", b'{"digest": 5}'])
def test_a_manifest_of_another_form_is_told(copied, manifest):
    (copied / corpus.MANIFEST).write_bytes(manifest)
    with pytest.raises(UsageError, match="is damaged or of another version; delete the folder"):
        Corpus(copied)


def test_a_manifest_whose_count_is_no_number_is_told(copied):
    manifest = json.loads((copied / corpus.MANIFEST).read_text()) | {"cases": "many"}
    (copied / corpus.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UsageError):
        Corpus(copied)


@pytest.mark.parametrize("cases", [0, -1])
def test_a_corpus_needs_a_case(plan, tmp_path, cases):
    with pytest.raises(UsageError, match="needs at least 1 case"):
        build_corpus(small(plan, cases=cases), tmp_path)


def test_a_place_that_cannot_be_written_is_told(plan, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="name another place with --cache"):
        build_corpus(small(plan), tmp_path / "file", processes=1)


def test_few_cases_are_made_without_a_pool_and_are_the_same(plan, tmp_path, monkeypatch):
    few = build_corpus(small(plan), tmp_path / "few", processes=1)
    monkeypatch.setattr(corpus_builder, "_CHUNK", 7)
    assert bytes_of(build_corpus(small(plan), tmp_path / "pool", processes=2)) == bytes_of(few)


@pytest.mark.parametrize("cases", [20, 300], ids=["made here", "out of the process pool"])
def test_a_mistake_in_a_credential_file_reaches_the_person(plan, tmp_path, cases):
    path = tmp_path / "broken.py"
    path.write_text("def credential(identity, salt, minted_at):\n    return {'token': 5}\n")
    broken = small(plan, credentials={"kind": "python", "file": str(path)}, cases=cases)
    with pytest.raises(UsageError, match="token must be a string"):
        build_corpus(broken, tmp_path / "cache", processes=1)


def test_only_the_newest_corpora_are_kept(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_builder, "_CORPORA_KEPT", 2)
    folders = []
    for seed in range(3):
        folders.append(build_corpus(small(plan, cases=1, seed=seed), tmp_path, processes=1).folder)
        time.sleep(0.01)
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_a_corpus_with_other_bytes_in_its_files_is_told_when_a_case_is_read(copied):
    for name in (corpus.BODIES, corpus.CASES):
        data = bytearray((copied / name).read_bytes())
        data[2:8] = bytes(6)
        (copied / name).write_bytes(data)
    opened = Corpus(copied)
    for read in (opened.request, opened.meta):
        with pytest.raises(UsageError, match="is damaged or of another version; delete the folder"):
            read(0)


def test_what_statistics_tell_of_a_case_is_read_without_its_row(built):
    for meta, _ in built:
        assert built.family_and_expectation(meta.index) == (meta.family, meta.expectation)


def test_a_corpus_whose_pages_were_let_go_reads_as_before(built):
    before = [built.body(index) for index in range(len(built))]
    built.release()
    assert [built.body(index) for index in range(len(built))] == before


def test_the_pages_of_a_closed_corpus_can_be_let_go(copied):
    opened = Corpus(copied)
    opened.close()
    opened.release()


def test_a_case_of_a_kind_that_the_manifest_does_not_have_is_told(copied):
    (copied / corpus.FACTS).write_bytes(b"\xff" * 510)
    with pytest.raises(UsageError, match="is damaged or of another version"):
        Corpus(copied).family_and_expectation(0)
