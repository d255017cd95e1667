// Brings the entries of a journal into a topic, in order, each exactly once.
//
// Every record carries the header "tailrace.spill": the journal's id and the entry's sequence number. When it is not known
// which of the last entries arrived (the process ended, or a delivery failed), the end of the topic is read for those
// numbers first, and only what is missing is sent. How far that is can only be a moment's records: a checkpoint says up
// to which entry everything is known to be there, and from which offsets on later ones can be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "spill/checkpoint.h"
#include "spill/journal.h"
#include "tailrace/base/clock.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::ingest {

inline constexpr const char* kSpillHeader = "tailrace.spill";

// Not thread-safe. Cluster and journal outlive it.
class Delivery {
 public:
  // Errors: kFailedPrecondition when the journal holds records of another topic.
  static absl::StatusOr<std::unique_ptr<Delivery>> Open(kafka::Cluster& cluster, Journal& journal, std::string topic, std::string client_id,
                                                        const base::Clock& clock);

  // Sends what the journal has and waits up to `timeout_ms` until it has arrived. OK: something arrived, or there was
  // nothing to send. kRetry: the log did not answer; whatever is under way stays so. Anything else needs the operator.
  absl::Status Step(int timeout_ms);
  // Says on disk how far it came, so that the next process has nothing to look up.
  absl::Status Save();

  // The next entry that is not known to be in the topic.
  uint64_t next_sequence() const { return at_.sequence; }
  int64_t delivered() const { return delivered_; }
  // Entries that the log refuses for their size.
  int64_t refused() const { return refused_; }
  // Entries that an earlier attempt had brought there.
  int64_t found_again() const { return found_again_; }

 private:
  Delivery(kafka::Cluster& cluster, Journal& journal, std::string topic, std::string client_id, const base::Clock& clock)
      : cluster_(cluster), journal_(journal), client_id_(std::move(client_id)), clock_(clock) {
    checkpoint_.topic = std::move(topic);
  }
  // A producer, and the knowledge of what is there already.
  absl::Status Connect();
  absl::Status FindArrived(int32_t partition, int64_t begin, int64_t end);
  absl::Status SendBatch();
  absl::Status Arrived();
  // After a failed delivery: what was under way may or may not have arrived.
  void Disconnect();
  std::string CheckpointFile() const { return journal_.directory() + "/delivered"; }

  kafka::Cluster& cluster_;
  Journal& journal_;
  const std::string client_id_;
  const base::Clock& clock_;

  std::unique_ptr<kafka::Producer> producer_;
  kafka::TopicHandle topic_ = 0;
  DeliveryCheckpoint checkpoint_;
  bool checkpoint_known_ = false;
  int64_t saved_ms_ = 0;
  Journal::Position at_;
  Journal::Batch batch_;            // under way, up to batch_sent_
  size_t batch_sent_ = 0;
  uint64_t uncertain_until_ = 0;    // entries below may have been sent before
  std::unordered_set<uint64_t> arrived_;
  kafka::Headers headers_;
  int64_t delivered_ = 0;
  int64_t refused_ = 0;
  int64_t found_again_ = 0;
};

}  // namespace tailrace::ingest
