// The part that every server stream shares: one message under way, work done on a pool, a clean end from any side.
//
//   Wake (any thread) --> pool: Step: Fill a message --> StartWrite --> OnWriteDone --> Wake
//
// A stream that has nothing to say holds no thread. Slowness of the client shows as a write that is not done: then Fill is
// not called, and what waits is bounded by the source (UpdateHub).
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tailrace::grpc_api {

// What a ticker needs to know of a stream.
class OpenStream {
 public:
  virtual ~OpenStream() = default;
  virtual void Heartbeat() = 0;
  virtual void End(grpc::Status status) = 0;
};

template <class Message>
class StreamReactor : public grpc::ServerWriteReactor<Message>,
                      public OpenStream,
                      public std::enable_shared_from_this<StreamReactor<Message>> {
 public:
  // `post` runs work on a pool and accepts one piece per stream at any time. `on_done` is called once, at the very end.
  StreamReactor(std::function<bool(std::function<void()>)> post, std::function<void()> on_done)
      : post_(std::move(post)), on_done_(std::move(on_done)) {}

  // Keeps itself alive until gRPC is done with it.
  void Open() {
    self_ = this->shared_from_this();
    Wake();
  }

  void Wake() {
    {
      absl::MutexLock lock(&mu_);
      if (scheduled_ || writing_ || finished_) return;  // What comes next looks again.
      scheduled_ = true;
    }
    std::weak_ptr<StreamReactor> weak = this->weak_from_this();
    if (!post_([weak] {
          if (auto self = weak.lock()) self->Step();
        })) {
      absl::MutexLock lock(&mu_);
      scheduled_ = false;  // The pool is ending or full: the next heartbeat tries again.
    }
  }

  void Heartbeat() override {
    {
      absl::MutexLock lock(&mu_);
      heartbeat_ = true;
    }
    Wake();
  }

  // The end waits for the message under way.
  void End(grpc::Status status) override {
    {
      absl::MutexLock lock(&mu_);
      if (finished_) return;
      if (writing_ || scheduled_) {
        if (!end_) end_ = std::move(status);
        return;
      }
      finished_ = true;
    }
    this->Finish(std::move(status));
  }

  void OnWriteDone(bool ok) override {
    std::optional<grpc::Status> end;
    {
      absl::MutexLock lock(&mu_);
      writing_ = false;
      if (!ok && !end_) end_ = grpc::Status(grpc::StatusCode::CANCELLED, "the stream is broken");
      end = end_;
      if (end) finished_ = true;
    }
    if (end) {
      this->Finish(*std::move(end));
    } else {
      Wake();
    }
  }
  void OnCancel() override { End(grpc::Status(grpc::StatusCode::CANCELLED, "the caller has gone")); }
  void OnDone() override {
    on_done_();
    std::shared_ptr<StreamReactor> self;
    absl::MutexLock lock(&self_mu_);
    self = std::move(self_);
  }

 protected:
  enum class Next { kNothing, kMessage, kEnd };
  // Fills the next message, or says how the stream ends. Called by one thread at a time.
  virtual Next Fill(Message* message, bool heartbeat, grpc::Status* end) = 0;

 private:
  void Step() {
    std::optional<grpc::Status> end;
    {
      absl::MutexLock lock(&mu_);
      if (end_) {
        end = end_;
      } else {
        message_.Clear();
        grpc::Status status;
        switch (Fill(&message_, std::exchange(heartbeat_, false), &status)) {
          case Next::kNothing: scheduled_ = false; return;
          case Next::kMessage: writing_ = true; break;
          case Next::kEnd: end = std::move(status); break;
        }
      }
      scheduled_ = false;
      finished_ = end.has_value();
    }
    // gRPC is called without the lock, since it may call back at once.
    if (end) {
      this->Finish(*std::move(end));
    } else {
      this->StartWrite(&message_);
    }
  }

  const std::function<bool(std::function<void()>)> post_;
  const std::function<void()> on_done_;

  absl::Mutex mu_;
  Message message_;  // filled by Step, read by gRPC while writing_
  bool scheduled_ ABSL_GUARDED_BY(mu_) = false;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  bool heartbeat_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);  // asked for while something was under way

  absl::Mutex self_mu_;
  std::shared_ptr<StreamReactor> self_ ABSL_GUARDED_BY(self_mu_);  // the reactor owns itself while gRPC uses it
};

}  // namespace tailrace::grpc_api
