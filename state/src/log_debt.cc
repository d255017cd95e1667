#include "log_debt.h"

#include <map>
#include <utility>

#include "rocksdb_status.h"

namespace tailrace::state {
namespace {

constexpr size_t kLogDebtBytesMax = 64u << 20;

}  // namespace

// One file of the write-ahead log. What is written after a failure goes to its place by offset: a write that failed may
// have written a part.
class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  LogFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<LogDebt> debt)
      : FSWritableFileOwnerWrapper(std::move(file)), debt_(std::move(debt)) {}
  ~LogFile() override {
    absl::MutexLock lock(&debt_->mu_);
    debt_->debtors_.erase(this);
  }

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    absl::MutexLock lock(&debt_->mu_);
    if (owed_.empty()) {
      rocksdb::IOStatus status = failed_ ? PositionedAppend(data, written_bytes_, options, context)
                                         : FSWritableFileOwnerWrapper::Append(data, options, context);
      if (status.ok()) written_bytes_ += data.size();
      if (status = AsNoSpace(std::move(status)); !status.IsNoSpace()) return status;
    }
    if (owed_.size() + data.size() > kLogDebtBytesMax) return rocksdb::IOStatus::NoSpace("the log owes too much");
    failed_ = true;
    owed_.append(data.data(), data.size());
    debt_->debtors_.insert(this);
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo&, rocksdb::IODebugContext* context) override {
    return Append(data, options, context);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    const rocksdb::IOStatus paid = LockAndPay();
    return paid.ok() ? AsNoSpace(FSWritableFileOwnerWrapper::Sync(options, context)) : paid;
  }
  rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    const rocksdb::IOStatus paid = LockAndPay();
    return paid.ok() ? AsNoSpace(FSWritableFileOwnerWrapper::Fsync(options, context)) : paid;
  }
  rocksdb::IOStatus Close(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    const rocksdb::IOStatus paid = LockAndPay();
    const rocksdb::IOStatus closed = AsNoSpace(FSWritableFileOwnerWrapper::Close(options, context));
    return paid.ok() ? closed : paid;
  }

  rocksdb::IOStatus Pay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(debt_->mu_) {
    if (owed_.empty()) return rocksdb::IOStatus::OK();
    rocksdb::IOStatus status = AsNoSpace(PositionedAppend(owed_, written_bytes_, {}, nullptr));
    if (!status.ok()) return status;
    written_bytes_ += owed_.size();
    std::string().swap(owed_);
    debt_->debtors_.erase(this);
    return status;
  }

 private:
  rocksdb::IOStatus LockAndPay() {
    absl::MutexLock lock(&debt_->mu_);
    return Pay();
  }

  const std::shared_ptr<LogDebt> debt_;  // shared with the database
  uint64_t written_bytes_ ABSL_GUARDED_BY(debt_->mu_) = 0;
  bool failed_ ABSL_GUARDED_BY(debt_->mu_) = false;
  std::string owed_ ABSL_GUARDED_BY(debt_->mu_);
};

std::unique_ptr<rocksdb::FSWritableFile> LogFileWithDebt(std::unique_ptr<rocksdb::FSWritableFile> file,
                                                         std::shared_ptr<LogDebt> debt) {
  return std::make_unique<LogFile>(std::move(file), std::move(debt));
}

std::shared_ptr<LogDebt> LogDebt::Of(const std::string& directory) {
  static absl::Mutex mu(absl::kConstInit);
  static auto* const debts = new std::map<std::string, std::weak_ptr<LogDebt>>;  // never destroyed, as the environment
  absl::MutexLock lock(&mu);
  std::erase_if(*debts, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<LogDebt>& known = (*debts)[directory];
  std::shared_ptr<LogDebt> debt = known.lock();
  if (debt == nullptr) known = debt = std::make_shared<LogDebt>();
  return debt;
}

bool LogDebt::owed() const {
  absl::MutexLock lock(&mu_);
  return !debtors_.empty();
}

rocksdb::IOStatus LogDebt::Pay() {
  absl::MutexLock lock(&mu_);
  while (!debtors_.empty()) {
    LogFile* const debtor = *debtors_.begin();
    if (rocksdb::IOStatus status = debtor->Pay(); !status.ok()) return status;
  }
  return rocksdb::IOStatus::OK();
}

}  // namespace tailrace::state
