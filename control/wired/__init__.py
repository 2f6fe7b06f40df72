"""A market on sockets: an exchange's feeds, re-request, snapshot and order servers, and its drop copy, around a live device.

``market`` is the `control.desk.Market` of it. ``conversation`` is SoupBinTCP for errands that end, on threads that may wait:
``snapshot`` fetches books, ``settlement`` finds out what became of orders, ``opening`` puts both together before trading begins.
``books`` brings a snapshot into a device, ``rerequests`` what is missing of the feed; ``orders`` keeps the order connection up,
``copies`` compares executions with the drop copy. ``memory`` knows what a device was set to, ``setup`` sets one up so; ``doubt``
is about whether a feed is still the same.
"""
