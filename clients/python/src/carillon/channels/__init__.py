"""Django Channels over Carillon."""

from .groups import DEFAULT_RULES, Destination, Target
from .layer import CarillonChannelLayer

__all__ = ["DEFAULT_RULES", "CarillonChannelLayer", "Destination", "Target"]
