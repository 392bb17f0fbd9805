"""The icons' template tags, each icon drawn once: a page of the console has a hundred of some twenty."""

from functools import lru_cache

from django import template
from heroicons.templatetags import heroicons

register = template.Library()
register.simple_tag(lru_cache(1024)(heroicons.heroicon_micro), name="heroicon_micro")
register.simple_tag(lru_cache(1024)(heroicons.heroicon_mini), name="heroicon_mini")
register.simple_tag(lru_cache(1024)(heroicons.heroicon_outline), name="heroicon_outline")
register.simple_tag(lru_cache(1024)(heroicons.heroicon_solid), name="heroicon_solid")
