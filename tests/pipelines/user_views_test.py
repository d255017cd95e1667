"""Goal: posts, retweets, favourites and sentiment per author are those of the definition, by day and over all time.

Method: generated posts over midnight, a fifth of them delivered again with other counters; the totals are made once more in Python.
"""
import truth

with truth.folder() as folder:
    file = f"{folder}/posts.jsonl"
    truth.generate("posts", file, "--seed", "12", "--count", "6000", "--rate", "1", "--start", "2026-01-01T23:10:00Z",
                   "--authors", "300", "--malformed-rate", "0.01", "--late-rate", "0.05", "--redeliver-rate", "0.2")
    posts = truth.merged(truth.posts_of(file))

    def totals(key_of):
        sums = {}
        for post in posts:
            total = sums.setdefault(key_of(post), [0, 0, 0, 0])
            for i, value in enumerate((1, post["retweet_count"], post["favorite_count"], truth.sentiment(post["text"]))):
                total[i] += value
        return {key: {"posts": n, "retweets": retweets, "favorites": favorites, "sentiment_sum": score, "sentiment_avg": score / n}
                for key, (n, retweets, favorites, score) in sums.items()}

    days = totals(lambda post: (truth.author_of(post), truth.start_of(post["created_at"], truth.DAY_MS)))
    assert len({start for _, start in days}) == 2, "the posts are not of two days"
    truth.compare("user-views", truth.run("user-views", [file], "user-views"), days)
    all_time = totals(lambda post: (truth.author_of(post), None))
    truth.compare("user-views-all-time", truth.run("user-views", [file], "user-views-all-time"), all_time)
