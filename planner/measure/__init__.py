"""Measuring a machine with torch: the only room that imports it (extra ``planner[bench]``)."""
