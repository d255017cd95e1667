#include "tailrace/kafka/group_admin.h"

#include "tailrace/base/check.h"
#include "tailrace/kafka/cluster.h"

namespace tailrace::kafka {

GroupAdmin& GroupsOf(Cluster& cluster) {
  auto* const groups = dynamic_cast<GroupAdmin*>(&cluster.admin());
  TAILRACE_CHECK(groups != nullptr, "the admin of this cluster knows no groups: " + cluster.Description());
  return *groups;
}

}  // namespace tailrace::kafka
