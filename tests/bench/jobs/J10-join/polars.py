# q1
result = x.join(small.select(pl.exclude("v2").exclude("id1").name.prefix("small_"), "id1", "v2"), on="id1")
# q2
result = x.join(medium.select(pl.exclude("v2").exclude("id2").name.prefix("medium_"), "id2", "v2"), on="id2")
# q3
result = x.join(medium.select(pl.exclude("v2").exclude("id2").name.prefix("medium_"), "id2", "v2"), on="id2", how="left")
# q4
result = x.join(medium.select(pl.exclude("v2").exclude("id5").name.prefix("medium_"), "id5", "v2"), on="id5")
# q5
result = x.join(big.select(pl.exclude("v2").exclude("id3").name.prefix("big_"), "id3", "v2"), on="id3")
