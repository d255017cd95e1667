"""Goal: words by period, by place, by group and by source are those of the definition.

Method: generated posts, some delivered again, some late, some broken; the counts are made once more in Python.
"""
import truth

PERIOD_MS = 900_000

with truth.folder() as folder:
    file = f"{folder}/posts.jsonl"
    truth.generate("posts", file, "--seed", "11", "--count", "6000", "--rate", "1", "--start", "2026-01-01T22:00:00Z",
                   "--authors", "400", "--malformed-rate", "0.01", "--late-rate", "0.05", "--cashtag-rate", "0.1", "--redeliver-rate", "0.1")
    posts = truth.merged(truth.posts_of(file))

    # Two groups that share an author, who is named by id in one and by name, in another case, in the other.
    shared, by_name, twice = posts[0], posts[10], posts[20]
    members = [("night", shared["author_id"]), ("night", by_name["author_name"].upper()), ("day", shared["author_name"].title()),
               ("day", twice["author_id"]), ("day", twice["author_name"])]
    groups = ",".join(f"{group}:{member}" for group, member in members)

    plain, place, group, source = [], [], [], []
    for post in posts:
        start = truth.start_of(post["created_at"], PERIOD_MS)
        names = {post["author_id"].lower(), post["author_name"].lower()}
        of_post = {name for name, member in members if member.lower() in names}
        for word in truth.words(post["text"]):
            plain.append((word, start))
            source.append((f'{post["source"]}|{word}', None))
            if "place" in post:
                place.append((f'{post["place"]["full_name"]}|{word}', start))
            group += [(f"{name}|{word}", start) for name in of_post]

    options = {"period": "15m", "groups": groups}
    for store, keys in (("trends", plain), ("trends-by-place", place), ("trends-by-group", group), ("word-counts", source)):
        truth.compare(store, truth.run("trends", [file], store, **options), truth.count(keys))
