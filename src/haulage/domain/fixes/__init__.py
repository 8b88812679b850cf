"""The fixes a site knows: from bundles that were imported, and from articles whose word a person confirmed."""
