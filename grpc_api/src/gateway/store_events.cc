#include "gateway/store_events.h"

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "common/application_token.h"
#include "common/error_info.h"
#include "gateway/json_values.h"
#include "gateway/json_writer.h"
#include "gateway/times.h"
#include "tailrace/base/limits.h"

namespace tailrace::grpc_api {
namespace {

constexpr int64_t kTendIntervalMs = 1'000;
// To learn who answers for a store, which is known but in the moments of a change.
constexpr int64_t kWhoAnswersMs = 500;
// A store is followed this much longer than anybody listens, so that a client that comes back misses nothing.
constexpr int64_t kIdleMs = 60'000;

absl::Status CutOverStatus(const std::string& store, const std::string& application_id) {
  return QueryError(absl::StatusCode::kUnavailable, reason::kCutOver,
                    "store '" + store + "' is answered by application " + application_id + " now; connect again");
}

class EventStream final : public HttpStream {
 public:
  // `restarted`: tasks whose place in another application the client knew, so that it has to read their state again.
  EventStream(std::string store, std::string application_id, std::optional<std::string> key, std::vector<base::TaskId> restarted,
              const base::Clock& clock)
      : store_(std::move(store)), application_id_(std::move(application_id)), key_(std::move(key)), restarted_(std::move(restarted)),
        clock_(clock) {}

  void Attach(std::unique_ptr<UpdateHub::Subscriber> subscriber) { subscriber_ = std::move(subscriber); }
  // What the hub calls; it may outlive the stream by a moment.
  struct Wake {
    absl::Mutex mu;
    std::function<void()> callback ABSL_GUARDED_BY(mu);
    void Call() {
      absl::MutexLock lock(&mu);
      if (callback) callback();
    }
  };
  const std::shared_ptr<Wake>& wake() const { return wake_; }

  std::string Next() override {
    std::string out;
    if (std::exchange(first_, false)) {
      // Tells the browser to come back quickly, and where it stands before the first update.
      position_ = subscriber_->position();
      out = "retry: 1000\n" + Heartbeat();
      for (const base::TaskId& task : restarted_) out += Gap(task);
    }
    // Of a batch without the wanted key nothing is sent, and there may be more behind it.
    UpdateHub::Batch batch;
    do {
      batch = subscriber_->Take(base::limits::kUpdateBatchMax, base::limits::kUpdateBatchBytesMax);
      Render(batch, out);
    } while (out.empty() && !batch.empty() && batch.ended.ok());
    if (!batch.ended.ok()) {
      ended_ = true;
      JsonWriter json;
      json.BeginObject().Key("reason").String(ReasonOf(batch.ended));
      json.Key("detail").String(std::string(batch.ended.message())).EndObject();
      out += SseEvent("end", "", std::move(json).Take());
    }
    return out;
  }

  std::string Heartbeat() override {
    JsonWriter json;
    json.BeginObject().Key("time").String(FormatTime(clock_.WallMs())).EndObject();
    return SseEvent("heartbeat", TokenOf(application_id_, EncodeResumeToken(subscriber_->position())), std::move(json).Take());
  }

  bool ended() const override { return ended_; }

  void SetWake(std::function<void()> callback) override {
    absl::MutexLock lock(&wake_->mu);
    wake_->callback = std::move(callback);
  }

 private:
  std::string Gap(const base::TaskId& task) const {
    JsonWriter json;
    json.BeginObject().Key("store").String(store_).Key("task").String(task.ToString()).EndObject();
    return SseEvent("gap", "", std::move(json).Take());
  }
  void Render(const UpdateHub::Batch& batch, std::string& out) {
    for (const base::TaskId& task : batch.gaps) out += Gap(task);
    for (size_t i = 0; i < batch.updates.size(); ++i) {
      const UpdateRecord& record = *batch.updates[i];
      // Each event's id says what was sent up to it, so that a break inside a batch loses nothing.
      position_[record.task] = record.place;
      if (key_ && record.key != *key_) continue;
      out += SseEvent("update", TokenOf(application_id_, EncodeResumeToken(position_)), UpdateJson(store_, record));
    }
    position_ = subscriber_->position();
  }

  const std::string store_;
  const std::string application_id_;
  const std::optional<std::string> key_;
  const std::vector<base::TaskId> restarted_;
  const base::Clock& clock_;
  std::unique_ptr<UpdateHub::Subscriber> subscriber_;
  std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();  // shared with the hub
  ResumePosition position_;  // of what was rendered
  bool first_ = true;
  bool ended_ = false;
};

}  // namespace

// One store's upstream.
class StoreEvents::Feed final : public SubscriptionListener {
 public:
  Feed(std::string application, const base::Clock& clock)
      : application_id(std::move(application)),
        hub(std::make_shared<UpdateHub>(base::limits::kUpdateRingEntriesMax, base::limits::kUpdateRingBytesMax)),
        used_ms(clock.SteadyMs()) {}

  void OnUpdate(StoreChangeEvent event) override {
    UpdateRecord record;
    record.task = event.task;
    record.place = {event.changelog_offset, event.index};
    record.key = event.row.key;
    record.key_json = KeyJsonText(event.row.key, event.row.key_json);
    record.window_start_ms = event.row.window_start_ms;
    record.window_end_ms = event.row.window_end_ms;
    record.timestamp_ms = event.row.value.timestamp_ms;
    if (!event.deleted) {
      record.value_json = ValueJsonText(event.row.value);
      record.value.emplace();  // present; its bytes are of no use here
    }
    hub->Publish(std::move(record));
  }
  void OnGap(const base::TaskId& task, int64_t changelog_offset) override {
    hub->MarkGap(task, {changelog_offset, UpdatePlace::kWholeCommit});
  }
  void OnStart(const base::TaskId& task, int64_t changelog_offset, int index) override { hub->Seed(task, {changelog_offset, index}); }

  void End(const absl::Status& status) {
    absl::MutexLock lock(&opening);
    upstream.reset();
    hub->Close(status);
  }

  const std::string application_id;
  const std::shared_ptr<UpdateHub> hub;  // shared with its streams
  std::atomic<int64_t> used_ms;
  absl::Mutex opening;  // one subscriber opens the upstream, the others wait for it
  std::unique_ptr<ClientSubscription> upstream ABSL_GUARDED_BY(opening);
};

StoreEvents::StoreEvents(QueryClient& client, const base::Clock& clock)
    : client_(client), clock_(clock), timers_(clock) {
  timers_.After(kTendIntervalMs, [this] { Tend(); });
}

StoreEvents::~StoreEvents() { Close(); }

absl::StatusOr<std::unique_ptr<HttpStream>> StoreEvents::Open(const std::string& store,
                                                              const std::optional<std::string>& key,
                                                              const std::string& last_event_id,
                                                              const CallOptions& options) {
  // Also refuses unknown stores, before anything is kept for them.
  TAILRACE_ASSIGN_OR_RETURN(const StoreDescription description, client_.Store(store, options));
  const std::string& application_id = description.application_id;
  const ApplicationToken token = ReadToken(application_id, last_event_id);
  std::optional<ResumePosition> resume;
  std::vector<base::TaskId> restarted;
  if (!token.token.empty()) {
    TAILRACE_ASSIGN_OR_RETURN(ResumePosition position, DecodeResumeToken(token.token));
    if (!token.foreign) resume = std::move(position);
    else for (const auto& [task, place] : position) restarted.push_back(task);
  }
  std::shared_ptr<Feed> feed, replaced;
  {
    absl::MutexLock lock(&mu_);
    if (closed_) return QueryError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the gateway is shutting down");
    std::shared_ptr<Feed>& slot = feeds_[store];
    if (slot && slot->application_id != application_id) replaced = std::move(slot);
    if (!slot) slot = std::make_shared<Feed>(application_id, clock_);
    feed = slot;
    feed->used_ms = clock_.SteadyMs();
  }
  if (replaced) replaced->End(CutOverStatus(store, application_id));
  {
    absl::MutexLock opening(&feed->opening);
    if (!feed->upstream) {
      // The first client's place is where the upstream begins, so that nothing it missed is lost.
      if (resume) {
        for (const auto& [task, place] : *resume) feed->hub->Seed(task, place);
      }
      TAILRACE_ASSIGN_OR_RETURN(feed->upstream, client_.Subscribe(store, resume ? last_event_id : std::string(), *feed, options));
    }
  }
  auto stream = std::make_unique<EventStream>(store, application_id, key, std::move(restarted), clock_);
  stream->Attach(feed->hub->Subscribe(resume, [wake = stream->wake()] { wake->Call(); }));
  return stream;
}

// Who listened to an application that has been cut over comes back, and then hears the one that answers now.
void StoreEvents::EndReplaced() {
  std::map<std::string, std::shared_ptr<Feed>> feeds;
  {
    absl::MutexLock lock(&mu_);
    feeds = feeds_;
  }
  for (const auto& [store, feed] : feeds) {
    const auto description = client_.Store(store, {.timeout_ms = kWhoAnswersMs});
    if (!description.ok() || description->application_id == feed->application_id) continue;
    {
      absl::MutexLock lock(&mu_);
      if (const auto it = feeds_.find(store); it != feeds_.end() && it->second == feed) feeds_.erase(it);
    }
    feed->End(CutOverStatus(store, description->application_id));
  }
}

void StoreEvents::Tend() {
  EndReplaced();
  std::vector<std::shared_ptr<Feed>> idle;
  {
    absl::MutexLock lock(&mu_);
    for (auto it = feeds_.begin(); it != feeds_.end();) {
      Feed& feed = *it->second;
      if (feed.hub->subscriber_count() > 0) feed.used_ms = clock_.SteadyMs();
      if (clock_.SteadyMs() - feed.used_ms > kIdleMs) {
        idle.push_back(std::move(it->second));
        it = feeds_.erase(it);
      } else {
        ++it;
      }
    }
  }
  for (const std::shared_ptr<Feed>& feed : idle) feed->End(absl::UnavailableError("the stream was idle"));
  timers_.After(kTendIntervalMs, [this] { Tend(); });
}

void StoreEvents::Close() {
  timers_.Stop();
  std::map<std::string, std::shared_ptr<Feed>> feeds;
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    feeds.swap(feeds_);
  }
  for (const auto& [store, feed] : feeds)
    feed->End(QueryError(absl::StatusCode::kUnavailable, reason::kShuttingDown, "the gateway is shutting down"));
}

std::string SseEvent(std::string_view event, std::string_view id, std::string_view data) {
  std::string out;
  out.reserve(event.size() + id.size() + data.size() + 32);
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  out.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
  return out;
}

std::string UpdateJson(std::string_view store, const UpdateRecord& record) {
  JsonWriter json;
  json.BeginObject();
  json.Key("store").String(store);
  json.Key("key").Raw(record.key_json);
  json.Key("window");
  WriteWindow(json, record.window_start_ms, record.window_end_ms);
  json.Key("value");
  if (record.value) {
    json.Raw(record.value_json);
  } else {
    json.Null();
  }
  json.Key("task").String(record.task.ToString());
  json.Key("offset").Int(record.place.offset);
  json.EndObject();
  return std::move(json).Take();
}

}  // namespace tailrace::grpc_api
