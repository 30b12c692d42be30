"""From the cases of a corpus, and from recipes, to shots."""

from __future__ import annotations

from gatecrash.bench.bench import Shot
from gatecrash.generators.cases import CaseMaker, Recipe
from gatecrash.generators.corpus import CaseMeta, Corpus
from gatecrash.planning.corpora import facts_of, facts_of_case
from gatecrash.reports.recording.records import CaseFacts


class Shots:
    """Looks cases up, each once, and makes new ones of recipes."""

    def __init__(self, corpus: Corpus, maker: CaseMaker) -> None:
        self.corpus = corpus
        self.maker = maker
        self._metas: dict[int, CaseMeta] = {}
        self._facts: dict[int, CaseFacts] = {}

    def of(self, index: int) -> Shot:
        """Return a case's shot."""
        return Shot(self.corpus.request(index), self.meta(index).view)

    def meta(self, index: int) -> CaseMeta:
        """Return what the corpus tells of a case."""
        if index not in self._metas:
            self._metas[index] = self.corpus.meta(index)
        return self._metas[index]

    def facts(self, index: int) -> CaseFacts:
        """Return what a report may know of a case."""
        if index not in self._facts:
            self._facts[index] = facts_of(self.corpus, index)
        return self._facts[index]

    def recipe(self, index: int) -> Recipe:
        """Return a case's recipe."""
        return Recipe.from_json(self.meta(index).recipe)

    def made(self, recipe: Recipe, index: int = 0) -> tuple[Shot, CaseFacts]:
        """Make a recipe's shot, and what a report may know of it."""
        case = self.maker.made(recipe, index)
        return Shot(case.request, case.view), facts_of_case(case)
