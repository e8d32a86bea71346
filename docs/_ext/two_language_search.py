"""Search in English and in Chinese, in one index.

English is split at what is no letter, and stemmed. Chinese has no spaces: each pair of
neighbouring characters is a word of the index, and a query is split likewise, so that
激活函数 is found where 激活, 活函 and 函数 are.
"""

import re

from sphinx.search.en import SearchEnglish

HAN = "\u3400-\u9fff"
RUNS = re.compile(rf"[{HAN}]+|[^\W{HAN}]+")


def pairs(run):
    """The pairs of a run of Chinese characters; another word as it is."""
    if len(run) < 2 or not re.match(rf"[{HAN}]", run):
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)]


class SearchEnglishAndChinese(SearchEnglish):
    """Stemmed English words, and pairs of Chinese characters."""

    lang = "en-zh"
    language_name = "English"  # of the stemmer
    js_splitter_code = rf"""
var splitQuery = (query) =>
  (query.match(/[{HAN}]+|(?:(?![{HAN}])[\p{{L}}\p{{N}}_])+/gu) || []).flatMap((run) =>
    run.length < 2 || !/^[{HAN}]/.test(run)
      ? [run]
      : Array.from({{ length: run.length - 1 }}, (_, i) => run.slice(i, i + 2)));
"""

    def split(self, input):
        """The words of a text, as `splitQuery` has them in the browser."""
        return [word for run in RUNS.findall(input) for word in pairs(run)]


def setup(app):
    """Register the language for `html_search_language`."""
    app.add_search_language(SearchEnglishAndChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
