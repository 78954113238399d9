# q1
result = groupby.group_by("id1").agg(pl.sum("v1").cast(pl.Int64))
# q2
result = groupby.group_by("id1", "id2").agg(pl.sum("v1").cast(pl.Int64))
# q3
result = groupby.group_by("id3").agg(pl.sum("v1").cast(pl.Int64), pl.mean("v3"))
# q4
result = groupby.group_by("id4").agg(pl.mean("v1", "v2", "v3"))
# q5
result = groupby.group_by("id6").agg(pl.sum("v1", "v2").cast(pl.Int64), pl.sum("v3"))
# q6
result = groupby.group_by("id4", "id5").agg(median=pl.median("v3"), sd=pl.std("v3"))
# q7
result = groupby.group_by("id3").agg(spread=pl.max("v1") - pl.min("v2"))
# q8
result = groupby.group_by("id6").agg(pl.col("v3").top_k(2)).explode("v3")
# q9
result = groupby.group_by("id2", "id4").agg(r2=pl.corr("v1", "v2") ** 2)
# q10
result = groupby.group_by("id1", "id2", "id3", "id4", "id5", "id6").agg(pl.sum("v3"), n=pl.len())
