"""
The evidence as a page: what a ledger holds, drawn for a browser.

    model     what there is to see, as plain data
    picture   fills that from a ledger
    judgement what the gate says of it
    cells     the map of input shapes
    words     figures as people read them
    charts    lines over time, as SVG
    page      the data as one HTML page
    metrics   the data as Prometheus reads it
    server    the page, live
"""
