"""The mean of each model's numbers over pictures of all kinds: what all have in common says nothing of one.

Made once, from 182 pictures; that of half of them finds the same neighbours (docs/similar.md).
"""

import base64
import struct

# Model, by how its name begins → 1,024 numbers of two bytes, in base64.
_MEANS = {
    "mobilenet-v1": (
        "0ziAOJo2VDdLOeozMzeYOq045zgSNs83IDkkOG05NTqgNy08jDkmOYw2sTpXOIw3yTUJNHU1RTfHN/c48zqVOIU4Szi0OLQ3"
        "KThqOMc2KTa5Odg7OzpVOOY1WTvTOKs38TldOPY6rjRDOls6MzoFO6I5djaLM4o5XDrdNnE8ejf1PjU4jjeZOjU5yDaQOL06"
        "dDiuMhA4gTh/NSU4wTcfOP07YjiDNc87RTrpOP86SDgqNYs5yzp+OHQ1jDjPO3Y7+TenNgE4CzpFOEE0YjlQOWQ4oDn5OkI6"
        "EjYkOR04ZzazOdM33TdhNls7MjgCPcI3TzjdOTY4CjhaNXE42Tm6N386JDtKO5s2uzivOa067jo2NVo7ljaCOik3qjelOys5"
        "DjbfOD87Mjg8OLY2MTgFN+I4ZzldOUE2MjjwOVY9ZjRpOFE5Gjl8Npw3eDqBOfc5yTiROHI4VDd9OnY3BDfzN8E62DjUNgs5"
        "pjqYN2E5uz4aOAg8AjnoN185hjiNOhA7qDglN+02wzrcNvU6YTzOO+k6aDefNm04YjhvOB41XjgtOlg6WjlTN+E0UDl1N7g8"
        "yDjyN0E85DgrOQM56TnFOEU1YTWnOLo4PjjhOLM3BziLNiM46jlLPKw1OzcJNiY3RznrN6c4KTUlO3w4yTjuN5M5UzcmOqw1"
        "HTiAO/E8oDc3Osw1ZzrqOmY3MjhANu82/jlLNrk42zlgOWE59jhwOHI0CzVAO+85LDgNObI7rTvpNUU3PDnnPJg1cTjqNWQ2"
        "nzqSNhM7zDlbPB46rzhqOIU2fTixOQs4PzgHNkE3jTdfO2g4kTpFOMI46jcLOkU4njayNg841zkWOmc4hDoCOFs2GjhwOU04"
        "6zuqOU04/TdtNes3qjwXOa04MzkDOCA6MDiqNrk6OjkJOp460TmEOAY8Qjh+OGc1Ojw1Njo1TzdJOVM5iDRkO/A51jnjOac4"
        "fjhtOeE3aTVsOyE1EzrjNmA0/jnfOQ843zkbOa46ITl0Nao5iDqTOPY2LjlBN/Y37jdiOOI5CTpWOMY3lziPOAU82TlRNv05"
        "DTtYOV80Ajh+N4o1dzkwOO05Izg6OKk5XDlSOPM6mDkEOfE3pjmsOts2mTcHOHk3Wzw1NxY6IzbsOHU83jTGOVQ44TdTOPg4"
        "WzkqN882YzfUNx45eDlyO0Y3qTnROHU6ajYaN+s5FDfNOFY6sTpYOR85lTiBN1k5DTaMOe875jRoOWk0fTfxN1Q0jzkaOkI6"
        "uTXxOR01lziWOzc5lDisOOU4VTagOFM4BjiQOSs4RTnPNAs4+DcwNRU8dzvtNQY1XjjfNig6ljc5Nlk5ijhCOZc5PTwiOKU3"
        "cjfIN9Y3tjZrPKk57jooOrA4jTgVO+U0sDfhPB41kziEORo9TjiqOH85IzsiO5Y1azikNjQ3szcxN105rTT5Neo4gjhaONA4"
        "uzjfO205vjnzOPc1xTjJNrM8mznyNQM4yzW9OOI1GzhEOUs6pThZOys4oTTCOJsz/DYWOjE4mjh9OYM65DYGOPg4eTxAOHQ3"
        "ljuKN1A4hDhEN9c3KTj2Nhs5czd5OX41Fzt9ODY1nDvBNvo6NDhtOaY4AjahOS08Jzg/OQI1UDhfOzQ3gDXTN+45CjhbN283"
        "MjglOYc4GDj4OFo3eDjLOIc0OzcxOF46DTwPPWM3ljjENlw7SzpgNUs5jjlrOAk4hjUVOWI6gzcsOus4rTbeOOQ5tjdxOOI4"
        "1TgSOqE4QTq+OVc3uTg3OBU8OTnzN7g2njoWOzA4Cj0rOlA6BDQqO4M5lDh9N4E4OzjmOqc0CDvPNo83/De0Opw4aTgBOIs4"
        "LDdCN7I7xTYPOlw4ETdNOS879TcQPeE4+zfUOOE8sjghOKo4JDpsOOQ5MDZiNzw3vzahOsY3sDlQOqE5bjqwOOY2wzcBPOI6"
        "GTt7OfE3cDn+Nvg2zzaHOpM2cTurO5804Te4OpY2czetNv82STmROHE5dTqTN0U1lDYiOAI6TDfrPIg4wzklNwk72jiwNBM5"
        "2DRQOTw7lDj0OVU5qTpQPFw37jbdOhQ41DbYNiY59jgROZM6pzppO2A7kTjgObM4IDUIO5g2pThwONA0aTmqNQY6Azh+Ok07"
        "ejkrOXA5oTaSOc85EzqBNPo6UjlEOf05OjdmNgQ0UDikOJw43DVnOGI8UDjFOdg3zDiDNqY5wTeXOHE3UzoANQU5ODmxNzo3"
        "rDWWN2c1OjjTOcc6FzakNuU1OTojObc4jTe0Ooo3cjkKOLo5xzczOVg2rzSeOQE3PTavNuk0CjVHOSk51TfmN501TjqFOVc6"
        "NjgQO5w12jf8NZo1lDw5Ok441zhkOIg8LDjbNWk30Tc2OEc0QjjYNrk5jTepPKQ4ITaDOKw4SzXKNXY5MDYKOjI76TdmN8w4"
        "CzkMNwI57jgRN2E40jjjOE85hTUOOBM4XTqNNWI39zYKO0U6NDmLNqA5uTdXOUM6jDkROBM0RziDOBk4sDaHNsw4Oz1ENX84"
        "ETlnOwg7fTh1OKc54TZNNlY1xzkdN3g2YzQFN705zTk0O1o3MDm8ORE62jd8OJo35DgeOSc4Tjc4Nbk4tzhhNUE5TjglOwE4"
        "0jiONzo4XjeOOEc2Azv+OLc5wTh4OII4XzVzObs2MjlHOrU3IzlXOFA4GTfLOzM5eDoVOaw5vTaWOYE3XDZcOLw2sjmjNuQ5"
        "8jmSNvU4sjiWN0s5VDp+OdA5QzqhNjE5qzh5OVo5fjY="
    ),
}


def mean_of(model: str, numbers: int) -> tuple[float, ...]:
    """The mean for a model; zeros for one that is not known: similar pictures are then found less well."""
    found = next((text for start, text in _MEANS.items() if model.replace("_", "-").startswith(start)), "")
    kept = base64.b64decode(found)
    return struct.unpack(f"<{numbers}e", kept) if len(kept) == 2 * numbers else (0.0,) * numbers
