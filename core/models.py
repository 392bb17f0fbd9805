"""Where Django finds the tables of the photo library; each is written beside what fills and asks it."""

from core.accounts import Account, ApiKey

__all__ = ["Account", "ApiKey"]
