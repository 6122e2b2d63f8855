"""What all tests of SDMX need before the first of them runs."""

import sdmx.reader.xml.v30  # noqa: F401  sdmx1 cannot import it any more once it has met a namespace of a structure
