"""Which model is in use: changed by a person, followed by the engine, never half-way."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from cxr_app.errors import PromotionError
from cxr_app.film_store import FilmStore
from cxr_app.jobs.retraining import Challenger
from cxr_app.model import checkpoint
from cxr_app.model.film_classifier import FilmClassifier
from cxr_app.promotion import checkpoint_in_use, go_back, promote, propose, ways_back
from cxr_app.scoring_engine import ScoringEngine
from cxr_app.settings import Settings
from cxr_app.worklist import Promotion, Worklist
from tests.integration.test_scoring import wait_for
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training import batch


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    configured = write_tiny(tmp_path / "configured.safetensors", seed=0)
    return Settings(data_dir=tmp_path / "data", checkpoint=configured, device="cpu")


@pytest.fixture
def site(settings: Settings) -> Iterator[Worklist]:
    """The worklist that those settings name."""
    opened = Worklist.open(settings.worklist_url)
    yield opened
    opened.close()


def challenger(
    folder: Path, in_use: Path, seed: int = 1, threshold: float = 0.3, not_worse: bool = True
) -> Challenger:
    """What a retraining leaves behind."""
    (folder / "run").mkdir(parents=True)
    path = write_tiny(folder / "run" / "checkpoint.safetensors", seed, threshold)
    made, present = checkpoint.load(path), checkpoint.load(in_use)
    comparison = {
        "in_use": present.model_version,
        "challenger": made.model_version,
        "in_use_sha256": present.sha256,
        "challenger_sha256": made.sha256,
        **dict.fromkeys(("n_normal", "n_pneumonia", "n_patients", "unknown"), 40),
        **dict.fromkeys(("figures", "subgroups", "checks"), ()),
        "not_worse": not_worse,
        "counts": {},
    }
    (folder / "comparison.json").write_text(json.dumps(comparison))
    path.with_suffix(".films.json").write_text("{}")
    return Challenger(folder)


def put(worklist: Worklist, sha256: str, instead_of: Promotion | None) -> Promotion:
    return worklist.promotions.put_to_use(
        sha256, f"m-{sha256}", by="Ada", instead_of=instead_of, replaced_version="m-0"
    )


def test_the_newest_change_wins_and_none_is_lost(worklist: Worklist) -> None:
    assert worklist.promotions.newest() is None
    first = put(worklist, "a" * 64, None)
    second = put(worklist, "", first)
    assert worklist.promotions.newest() == second
    assert (second.sha256, second.promoted_by, second.job_id) == ("", "Ada", "")
    assert worklist.promotions.history() == [second, first]


def test_of_many_who_change_it_at_once_one_does(worklist: Worklist) -> None:
    first = put(worklist, "a" * 64, None)

    def change(number: int) -> bool:
        try:
            put(worklist, f"{number:064}", first)
        except PromotionError:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(change, range(8))) == 1
    with pytest.raises(PromotionError, match="has just been changed"):
        put(worklist, "b" * 64, None)
    assert len(worklist.promotions.history()) == 2


def test_a_challenger_is_put_to_use_and_the_way_back_is_open(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    made = challenger(tmp_path / "job", settings.checkpoint)
    assert checkpoint_in_use(settings, site) == settings.checkpoint
    done = promote(settings, site, made, "1" * 32, "Ada")
    in_use = checkpoint_in_use(settings, site)
    assert in_use.parent == settings.models_dir
    assert in_use.read_bytes() == made.checkpoint.read_bytes()
    assert in_use.with_suffix(".films.json").exists()
    assert settings.models_dir.stat().st_mode & 0o077 == 0
    back = go_back(settings, site, None, "Bela", instead_of=done)
    assert checkpoint_in_use(settings, site) == settings.checkpoint
    assert back.replaced_version == done.model_version
    go_back(settings, site, done, "Ada", instead_of=back)
    assert checkpoint_in_use(settings, site) == in_use


def test_what_must_not_be_put_to_use_is_refused(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    worse = challenger(tmp_path / "worse", settings.checkpoint, not_worse=False)
    with pytest.raises(PromotionError, match="not known to be as good"):
        promote(settings, site, worse, "", "Ada")
    with pytest.raises(PromotionError, match="not known to be as good"):
        promote(settings, site, Challenger(tmp_path / "nothing"), "", "Ada")
    changed = challenger(tmp_path / "changed", settings.checkpoint, seed=2)
    write_tiny(changed.checkpoint, seed=3)
    with pytest.raises(PromotionError, match="not the one that was compared"):
        promote(settings, site, changed, "", "Ada")
    gone = challenger(tmp_path / "gone", settings.checkpoint, seed=2)
    gone.discard()
    with pytest.raises(PromotionError, match="discarded"):
        promote(settings, site, gone, "", "Ada")
    late = challenger(tmp_path / "late", settings.checkpoint, seed=4)
    promote(settings, site, challenger(tmp_path / "job", settings.checkpoint), "", "Ada")
    with pytest.raises(PromotionError, match="no longer in use"):
        promote(settings, site, late, "", "Ada")
    assert len(site.promotions.history()) == 1


def test_a_model_that_is_gone_is_not_gone_back_to(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    done = promote(settings, site, challenger(tmp_path / "job", settings.checkpoint), "", "Ada")
    back = go_back(settings, site, None, "Ada", instead_of=done)
    shutil.rmtree(settings.models_dir)
    with pytest.raises(PromotionError, match="gone from the server"):
        go_back(settings, site, done, "Ada", instead_of=back)


@pytest.mark.parametrize("meanwhile", ["promoted", "back to the settings", "back to an earlier"])
@pytest.mark.parametrize("wanted", ["settings", "earlier"])
def test_a_way_back_does_not_override_a_change_that_was_not_seen(
    settings: Settings, site: Worklist, tmp_path: Path, meanwhile: str, wanted: str
) -> None:
    first = promote(settings, site, challenger(tmp_path / "1", settings.checkpoint), "", "Ada")
    second = challenger(tmp_path / "2", checkpoint_in_use(settings, site), seed=2)
    seen = promote(settings, site, second, "", "Ada")
    if meanwhile == "promoted":
        third = challenger(tmp_path / "3", checkpoint_in_use(settings, site), seed=3)
        promote(settings, site, third, "", "Bela")
    else:
        earlier = first if meanwhile == "back to an earlier" else None
        go_back(settings, site, earlier, "Bela", instead_of=seen)
    in_use = site.promotions.newest()
    with pytest.raises(PromotionError, match="has just been changed"):
        go_back(settings, site, first if wanted == "earlier" else None, "Ada", instead_of=seen)
    assert site.promotions.newest() == in_use


def test_the_way_back_to_the_settings_names_the_model_that_it_leads_to_now(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    """An upgrade has brought another file."""
    done = promote(settings, site, challenger(tmp_path / "job", settings.checkpoint), "", "Ada")
    for seed in (5, 6):
        write_tiny(settings.checkpoint, seed=seed)
        version = checkpoint.load(settings.checkpoint).model_version
        (way,) = ways_back(settings, site)
        assert (way.sha256, way.model_version) == ("", version)
        back = go_back(settings, site, way, "Ada", instead_of=done)
        assert (back.sha256, back.model_version) == ("", version)
        assert back.replaced_version == done.model_version
        write_tiny(settings.checkpoint, seed=seed + 10)
        version = checkpoint.load(settings.checkpoint).model_version
        (way,) = ways_back(settings, site)
        done = go_back(settings, site, way, "Ada", instead_of=back)
        assert done.replaced_version == version


@given(ways=st.lists(st.integers(0, 3), max_size=14))
@settings_of_hypothesis(max_examples=25)
def test_after_any_sequence_of_changes_a_way_leads_to_every_model_used_so_far(
    ways: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("site")
    configured = folder / "configured.safetensors"
    configured.write_bytes(b"configured")
    settings = Settings(data_dir=folder / "data", checkpoint=configured)
    with closing(Worklist.open(settings.worklist_url)) as site:
        used: set[str] = {digest(b"configured")}
        for number, way in enumerate(ways):
            back = ways_back(settings, site)
            if way < len(back):
                newest = site.promotions.history()[0]
                go_back(settings, site, back[way], "Ada", instead_of=newest)
            else:
                made = quick_challenger(folder / str(number), checkpoint_in_use(settings, site))
                promote(settings, site, made, "1" * 32, "Ada")
            in_use = digest(checkpoint_in_use(settings, site).read_bytes())
            used.add(in_use)
            reached = {each.sha256 or digest(b"configured") for each in ways_back(settings, site)}
            assert reached == used - {in_use}


def quick_challenger(folder: Path, in_use: Path) -> Challenger:
    """A challenger whose checkpoint is a few bytes, like the one in use."""
    (folder / "run").mkdir(parents=True)
    content = folder.name.encode()
    (folder / "run" / "checkpoint.safetensors").write_bytes(content)
    comparison = {
        "in_use": "m-0",
        "challenger": f"m-{folder.name}",
        "in_use_sha256": digest(in_use.read_bytes()),
        "challenger_sha256": digest(content),
        **dict.fromkeys(("n_normal", "n_pneumonia", "n_patients", "unknown"), 40),
        **dict.fromkeys(("figures", "subgroups", "checks"), ()),
        "not_worse": True,
        "counts": {},
    }
    (folder / "comparison.json").write_text(json.dumps(comparison))
    return Challenger(folder)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_the_engine_changes_the_model_with_its_thresholds_and_comes_back(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    store = FilmStore(settings.films_dir)

    def score(seed: int) -> tuple[str, float | None]:
        sha256 = store.keep(jpeg(seed))
        entry_id, _ = site.receive(sha256, "film", store.path(sha256))
        engine.wake()
        wait_for(lambda: site.entry(entry_id).state is not None)
        entry = site.entry(entry_id)
        return entry.model_version, entry.threshold

    made = challenger(tmp_path / "job", settings.checkpoint, threshold=0.3)
    versions = [
        checkpoint.load(path).model_version for path in (settings.checkpoint, made.checkpoint)
    ]
    engine = ScoringEngine(settings, site)
    engine.start()
    try:
        assert score(1) == (versions[0], 0.5)
        promoted = promote(settings, site, made, "", "Ada")
        engine.wake()
        wait_for(lambda: engine.status().model_version == versions[1])
        assert engine.status().operating_points["balanced"].threshold == 0.3
        assert score(2) == (versions[1], 0.3)
        go_back(settings, site, None, "Ada", instead_of=promoted)
        engine.wake()
        wait_for(lambda: engine.status().model_version == versions[0])
        assert score(3) == (versions[0], 0.5)
    finally:
        engine.stop()


def test_a_model_that_cannot_be_used_leaves_the_old_one_in_use_and_says_so(
    settings: Settings, site: Worklist
) -> None:
    engine = ScoringEngine(settings, site)
    engine.start()
    try:
        wait_for(lambda: engine.status().state == "ready")
        before = engine.status().model_version
        made = checkpoint.load(settings.checkpoint)
        settings.models_dir.mkdir()
        (settings.models_dir / f"{made.sha256}.safetensors").write_bytes(b"damaged")
        put(site, made.sha256, None)
        engine.wake()
        wait_for(lambda: engine.status().message != "")
        status = engine.status()
    finally:
        engine.stop()
    assert (status.state, status.model_version) == ("ready", before)
    assert "this one stays" in status.message


def test_a_fault_while_a_model_is_loaded_ends_no_scoring(
    settings: Settings, site: Worklist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a GPU has no room for a second model."""
    engine = ScoringEngine(settings, site)
    engine.start()
    try:
        wait_for(lambda: engine.status().state == "ready")
        before = engine.status().model_version
        made = challenger(tmp_path / "job", settings.checkpoint)
        with monkeypatch.context() as full:
            full.setattr(FilmClassifier, "__init__", _out_of_memory)
            promoted = promote(settings, site, made, "", "Ada")
            engine.wake()
            wait_for(lambda: engine.status().message != "")
        status = engine.status()
        go_back(settings, site, None, "Ada", instead_of=promoted)
        engine.wake()
        wait_for(lambda: engine.status().message == "")
    finally:
        engine.stop()
    assert (status.state, status.model_version) == ("ready", before)


def _out_of_memory(*_: object, **__: object) -> None:
    raise RuntimeError("out of memory")


def test_a_backlog_is_scored_with_the_model_in_use(
    settings: Settings, site: Worklist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CXR_CHECKPOINT", str(settings.checkpoint))
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "1.jpeg").write_bytes(jpeg(1))
    done = promote(settings, site, challenger(tmp_path / "job", settings.checkpoint), "", "Ada")
    command = [str(tmp_path / "films"), "--device", "cpu", "--workers", "0", "--out"]
    assert batch.main([*command, str(tmp_path / "results.csv")]) == 0
    assert done.model_version in (tmp_path / "results.csv").read_text()
    assert batch.main([*command, str(tmp_path / "alone.csv"), "--no-worklist"]) == 0
    assert done.model_version not in (tmp_path / "alone.csv").read_text()


def test_a_full_disk_while_a_model_is_kept_changes_nothing(
    settings: Settings, site: Worklist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = challenger(tmp_path / "job", settings.checkpoint)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PromotionError, match="No space left"):
        promote(settings, site, made, "", "Ada")
    assert site.promotions.newest() is None


def test_where_two_are_asked_for_one_proposes_and_another_promotes(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    by_two = settings.model_copy(update={"promotion_by_two": True})
    made = challenger(tmp_path / "job", settings.checkpoint)
    with pytest.raises(PromotionError, match="another promotes it"):
        promote(by_two, site, made, "job", "Ada")
    assert propose(site, made, "Ada").proposed_by == "Ada"
    with pytest.raises(PromotionError, match="no other person"):
        promote(by_two, site, made, "job", "Ada")
    assert promote(by_two, site, made, "job", "Weiss").promoted_by == "Weiss"


def test_a_challenger_that_is_worse_cannot_be_proposed(
    settings: Settings, site: Worklist, tmp_path: Path
) -> None:
    with pytest.raises(PromotionError, match="not known to be as good"):
        propose(site, challenger(tmp_path / "job", settings.checkpoint, not_worse=False), "Ada")
