"""Articles reach every site below, once; they survive kills, removal and restores; the index follows, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.base.errors import ConflictError
from haulage.base.ids import SiteCode
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import Import, ImportState, Relation
from haulage.domain.knowledge.remedies import remedy
from haulage.domain.knowledge.taking import foremost, precedence, require_article, sources
from haulage.domain.replication import records as replication
from haulage.engine.protocol.definitions import Kind
from haulage.engine.search.model import Question
from haulage.engine.status import on_knowledge
from haulage.operations import knowledge
from tests.domain.worlds import CHI, HQ1, LA1, Lab, lab

SITES = (HQ1, CHI, LA1)


def article(name: str, title: str, *, front: str = "", body: str = "It fails.") -> bytes:
    head = f'id = "{name}"\ntitle = "{title}"\nproducts = ["Press"]\nversions = ["2.0"]\n{front}created = 2026-11-22\n'
    return f"+++\n{head}+++\n# Symptoms\n\n{body}\n".encode()


@pytest.fixture
def world() -> Iterator[Lab]:
    with lab() as made:
        yield made


def take_in(world: Lab, files: dict[str, bytes], *, at: SiteCode = HQ1) -> Import:
    """Import files and wait until all is quiet; returns how it went."""
    world.world.articles["kb"] = files
    number = knowledge.import_articles(world.desk(at), "tester", "kb")
    world.settle()
    with world.core(at).database.reading() as tx:
        done = records.find_import(tx, number)
    assert done is not None
    return done


def text_at(world: Lab, site: SiteCode, name: str) -> bytes:
    with world.core(site).database.reading() as tx:
        row = require_article(tx, site, name)
        return sources(tx, [row])[0][1].data


def found_at(world: Lab, site: SiteCode, text: str) -> list[str]:
    return [hit.id for hit in world.core(site).librarian.search(Question(text=text)).hits]


def revisions(world: Lab, site: SiteCode) -> dict[str, int]:
    with world.core(site).database.reading() as tx:
        return {one.id: one.revision for one in replication.list_names(tx) if one.kind == Kind.SHELF and not one.deleted}


def test_i23_articles_reach_grandchildren_byte_for_byte_and_once(world: Lab) -> None:
    files = {f"Q{number}.md": article(f"Q{number}", f"Problem {number}") for number in (316316, 316317, 319207)}
    done = take_in(world, files)
    assert (done.state, done.report["added"], done.report["shelves"]) == (ImportState.DONE, 3, 2)
    for site in SITES:
        assert {name: text_at(world, site, name.removesuffix(".md")) for name in files} == files
        assert found_at(world, site, "problem 319207") == ["Q319207"]
    told = revisions(world, LA1)
    assert told == revisions(world, HQ1)
    again = take_in(world, files)
    assert (again.report["unchanged"], again.report["shelves"]) == (3, 0)
    assert revisions(world, LA1) == told
    assert len(world.said(HQ1, on_knowledge.ARTICLES_IMPORTED.number)) == 2


def test_i23_what_comes_twice_is_what_came_last_even_if_it_was_there(world: Lab) -> None:
    first, other = article("Q1", "Printing stops"), article("Q1", "Printing stops again")
    take_in(world, {"a.md": first})
    done = take_in(world, {"a.md": other, "b.md": first})
    assert (done.report["articles"], done.report["twice"], done.report["unchanged"]) == (1, 1, 1)
    assert text_at(world, LA1, "Q1") == first
    done = take_in(world, {"a.md": first, "b.md": other})
    assert (done.report["twice"], done.report["changed"]) == (1, 1)
    assert text_at(world, LA1, "Q1") == other


def test_a_changed_article_replaces_what_was_found_before(world: Lab) -> None:
    take_in(world, {"a": article("Q1", "Printing stops")})
    done = take_in(world, {"a": article("Q1", "Scanning stops")})
    assert done.report["changed"] == 1
    assert [found_at(world, site, "printing") for site in SITES] == [[], [], []]
    assert [found_at(world, site, "scanning") for site in SITES] == [["Q1"]] * 3


def test_a_child_without_its_parent_searches_on(world: Lab) -> None:
    take_in(world, {"a": article("Q1", "Printing stops")})
    world.world.network.cut.add(LA1)
    world.world.sites[HQ1].kill()
    world.world.sites[LA1].kill()
    world.world.start(world.world.sites[LA1])
    world.work()
    assert found_at(world, LA1, "printing") == ["Q1"]


def test_i10_a_removed_article_goes_everywhere_and_stays_away(world: Lab) -> None:
    take_in(world, {"a": article("Q1", "Printing stops"), "b": article("Q2", "Printing hangs")})
    world.world.network.cut.add(LA1)
    knowledge.remove_article(world.desk(HQ1), "tester", "Q1")
    knowledge.remove_article(world.desk(HQ1), "tester", "Q2")
    world.work()
    assert found_at(world, LA1, "printing") == ["Q1", "Q2"]
    world.world.network.cut.clear()
    world.settle_for_a_day()
    assert [found_at(world, site, "printing") for site in SITES] == [[], [], []]
    for site in SITES:
        with world.core(site).database.reading() as tx:
            assert records.count_articles(tx) == 0


def test_i4_what_a_child_writes_stays_in_its_branch_and_goes_up(world: Lab) -> None:
    take_in(world, {"a": article("Q1", "Of the branch")}, at=LA1)
    assert [found_at(world, site, "branch") for site in SITES] == [["Q1"]] * 3
    with pytest.raises(ConflictError, match="owned-elsewhere"):
        knowledge.remove_article(world.desk(HQ1), "tester", "Q1")


def test_the_nearest_word_counts_and_the_parents_comes_back_when_it_goes(world: Lab) -> None:
    take_in(world, {"a": article("Q1", "From above")})
    take_in(world, {"a": article("Q1", "Our own way")}, at=LA1)
    assert (found_at(world, LA1, "way"), found_at(world, LA1, "above")) == (["Q1"], [])
    assert (found_at(world, CHI, "way"), found_at(world, CHI, "above")) == ([], ["Q1"])
    knowledge.remove_article(world.desk(LA1), "tester", "Q1")
    world.settle()
    assert (found_at(world, LA1, "way"), found_at(world, LA1, "above")) == ([], ["Q1"])
    with world.core(CHI).database.reading() as tx:
        assert foremost(records.articles_of(tx, ["Q1"]), precedence(tx, CHI))["Q1"].owner == HQ1


@pytest.mark.parametrize("how", ["missing", "damaged", "behind"])
def test_the_index_is_made_again_from_the_shelves(world: Lab, how: str) -> None:
    take_in(world, {"a": article("Q1", "Printing stops"), "b": article("Q2", "Scanning stops")})
    site = world.world.sites[CHI]
    site.kill()
    if how == "missing":
        site.indexes.discard()
    elif how == "damaged":
        site.indexes.index.damaged = True
    else:
        site.indexes.index.remove(["Q2"])
    world.world.start(site)
    world.work()
    assert found_at(world, CHI, "stops") == ["Q1", "Q2"]
    assert len(world.said(CHI, on_knowledge.INDEX_MADE_ANEW.number)) == (how == "damaged")


def test_i14_a_file_that_is_no_article_is_refused_by_name_and_the_rest_is_taken(world: Lab) -> None:
    done = take_in(world, {"a": b"\x00\x01", "b": article("Q1", "Printing stops"), "c": article("Q1", "Again")})
    assert (done.report["articles"], done.report["twice"]) == (1, 1)
    listed = done.report["refused_files"]
    assert isinstance(listed, list)
    assert [(one["name"], one["kind"]) for one in listed] == [("a", "not-an-article"), ("b", "article-twice")]
    assert found_at(world, LA1, "again") == ["Q1"]


def test_an_import_without_any_article_fails_and_says_so(world: Lab) -> None:
    done = take_in(world, {"a": b"nothing"})
    assert (done.state, done.error_code) == (ImportState.FAILED, "no-articles")
    assert "First refused: 'a' is in none of the forms" in done.error_message
    assert len(world.said(HQ1, on_knowledge.ARTICLES_IMPORT_FAILED.number)) == 1


def test_i12_an_import_that_is_killed_goes_on_by_itself(world: Lab) -> None:
    world.world.articles["kb"] = {"a": article("Q1", "Printing stops")}
    number = knowledge.import_articles(world.desk(HQ1), "tester", "kb")
    site = world.world.sites[HQ1]
    site.kill()
    world.world.start(site)
    world.settle()
    with world.core(HQ1).database.reading() as tx:
        done = records.find_import(tx, number)
    assert done is not None
    assert done.state is ImportState.DONE
    assert found_at(world, LA1, "printing") == ["Q1"]


@pytest.mark.parametrize("code", SITES)
def test_i16_f53_a_restored_site_gets_its_articles_back_and_none_that_went(world: Lab, code: SiteCode) -> None:
    """Its disk is put back to what it was before one article came and another one went."""
    owner = LA1 if code == LA1 else HQ1
    take_in(world, {"a": article("Q1", "Kept print"), "b": article("Q200", "Gone print")}, at=owner)
    site = world.world.sites[code]
    old = site.disk.backup()
    take_in(world, {"c": article("Q300", "New print")}, at=owner)
    knowledge.remove_article(world.desk(owner), "tester", "Q200")
    world.settle()
    site.kill()
    site.disk.restore(old)
    core = site.assemble()
    with core.database.writing() as tx:
        core.begin_new_life(tx)
    site.kill()
    world.world.start(site)
    world.settle_for_a_day()
    assert [found_at(world, one, "print") for one in SITES] == [["Q1", "Q300"]] * 3


def test_bulk_is_told_after_everything_else(world: Lab) -> None:
    world.world.network.cut.add(CHI)
    world.world.articles["kb"] = {f"{n}": article(f"Q{n * 100}", f"Number {n}") for n in range(1, 30)}
    knowledge.import_articles(world.desk(HQ1), "tester", "kb")
    world.work()
    package = world.package("CHI")
    with world.core(HQ1).database.reading() as tx:
        first = replication.first_dirty(tx, CHI, 100)
    late = [late for _number, _kind, _key, late in first]
    assert late == sorted(late)
    assert sum(late) == 29
    assert f"package/{package}" in [key for _number, _kind, key, late in first if not late]


def test_q316316_what_helps_is_the_last_in_the_chain(world: Lab) -> None:
    take_in(
        world,
        {
            "a": article("Q316316", "Error 998", front='resolved_by = ["Q319207"]\n'),
            "b": article("Q319207", "Many jobs", front='resolved_by = ["Q323206"]\n'),
            "c": article("Q323206", "Rollup"),
        },
    )
    with world.core(LA1).database.reading() as tx:
        helps = remedy(tx, LA1, "Q316316")
        said = records.relations_to(tx, "Q319207", 10)
    assert (helps.fix, helps.own, helps.where.here) == ("Q323206", False, False)
    assert {(edge.under, edge.over) for edge in helps.chain} == {("Q316316", "Q319207"), ("Q319207", "Q323206")}
    assert ("Q316316", Relation.RESOLVED_BY) in [(one.article, one.relation) for one in said]


def test_b91_articles_that_lead_to_each_other_do_not_go_round_for_ever(world: Lab) -> None:
    files = {"a": article("Q1", "One", front='resolved_by = ["Q2"]\n'), "b": article("Q2", "Two", front='resolved_by = ["Q1"]\n')}
    take_in(world, files)
    with world.core(HQ1).database.reading() as tx:
        assert remedy(tx, HQ1, "Q1").fix in ("Q1", "Q2")
