// The limit: librdkafka alone, consuming in batches and looking at every record once.
#include <librdkafka/rdkafka.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "bench.h"

namespace tailrace::bench {
namespace {

constexpr size_t kBatchRecords = 10'000;
constexpr int kPollMs = 50;

absl::Status SetAll(rd_kafka_conf_t* conf, const std::vector<std::pair<const char*, std::string>>& settings) {
  char error[512];
  for (const auto& [key, value] : settings)
    if (rd_kafka_conf_set(conf, key, value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK)
      return absl::InvalidArgumentError(error);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunBareConsumer(const Workload& workload) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  TAILRACE_RETURN_IF_ERROR(SetAll(conf, {{"bootstrap.servers", workload.bootstrap},
                                         {"group.id", "bench-bare"},
                                         {"enable.auto.commit", "false"},
                                         {"fetch.queue.backoff.ms", "5"},
                                         {"queued.max.messages.kbytes", "65536"}}));
  char error[512];
  rd_kafka_t* const client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (client == nullptr) return absl::InternalError(error);
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* const partitions = rd_kafka_topic_partition_list_new(workload.partitions);
  for (int32_t p = 0; p < workload.partitions; ++p)
    rd_kafka_topic_partition_list_add(partitions, workload.topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;

  const Measurement measurement;
  rd_kafka_assign(client, partitions);
  rd_kafka_queue_t* const queue = rd_kafka_queue_get_consumer(client);
  std::vector<rd_kafka_message_t*> batch(kBatchRecords);
  int64_t seen = 0;
  uint64_t bytes = 0;
  while (seen < workload.records) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue, kPollMs, batch.data(), batch.size());
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* const message = batch[static_cast<size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++seen;
        bytes += message->len + message->key_len;
      }
      rd_kafka_message_destroy(message);
    }
  }
  measurement.Report("librdkafka", seen);
  rd_kafka_topic_partition_list_destroy(partitions);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
  return bytes > 0 ? absl::OkStatus() : absl::DataLossError("the records were empty");
}

}  // namespace tailrace::bench
