// Goal: a setting means the same wherever it is written, and a wrong one names its place. Method: every source, their
// order, and each way to be wrong.
#include "tailrace/base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tailrace/base/config_keys.h"

namespace tailrace::base {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path =
      ::testing::TempDir() + "/" + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "." + name;
  std::ofstream(path) << text;
  return path;
}

std::string ProblemOf(const ConfigSources& sources) {
  const absl::StatusOr<Config> config = Config::Load(sources);
  if (config.ok()) return "";
  EXPECT_EQ(ReactionOf(config.status()), Reaction::kFatal);
  return std::string(config.status().message());
}

TEST(Config, EveryDefaultIsAValidValueOfItsKey) {
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(key.default_value.empty() || CheckConfigValue(key, key.default_value).ok()) << key.name;
    EXPECT_FALSE(key.doc.empty()) << key.name;
    EXPECT_EQ(FindConfigKey(key.name), &key);
  }
}

TEST(Config, TheDocumentedTableIsThisTable) {
  const char* top = std::getenv("TAILRACE_SOURCE_DIR");
  if (top == nullptr) GTEST_SKIP() << "TAILRACE_SOURCE_DIR is not set; ctest sets it";
  std::ifstream file(std::string(top) + "/docs/configuration.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(text, HasSubstr(ConfigKeysAsMarkdown())) << "put this table into docs/configuration.md";
}

TEST(Config, TheCommitIntervalFollowsTheGuaranteeUntilItIsSet) {
  EXPECT_EQ(Config().Ms("commit.interval.ms"), 1'000);
  EXPECT_EQ(Config().With("processing.guarantee", "exactly_once_v2").Ms("commit.interval.ms"), 100);
  EXPECT_EQ(Config()
                .With("processing.guarantee", "exactly_once_v2")
                .With("commit.interval.ms", "2s")
                .Ms("commit.interval.ms"),
            2'000);
}

TEST(Config, LaterSourcesWin) {
  ConfigSources sources;
  sources.defaults = {{"application.id", "from-pipeline", "city.yaml:1"}, {"state.dir", "/default", "city.yaml:2"}};
  sources.file =
      WriteFile("yaml", "application.id: from-file\nstate.dir: /file\ngrpc.listen: 127.0.0.1:1\nlog.level: debug\n");
  sources.environment = {
      {"TAILRACE_STATE_DIR", "/environment"}, {"TAILRACE_GRPC_LISTEN", "127.0.0.1:2"}, {"HOME", "/x"}};
  sources.set = {"grpc.listen=127.0.0.1:3"};
  const absl::StatusOr<Config> config = Config::Load(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->String("application.id"), "from-file");
  EXPECT_EQ(config->String("state.dir"), "/environment");
  EXPECT_EQ(config->String("grpc.listen"), "127.0.0.1:3");
  EXPECT_EQ(config->Origin("log.level"), sources.file + ":4");
  EXPECT_EQ(config->Origin("state.dir"), "environment TAILRACE_STATE_DIR");
  EXPECT_EQ(config->Origin("num.stream.threads"), "default");
  EXPECT_FALSE(config->IsSet("num.stream.threads"));
}

TEST(Config, YamlMayNestAndPropertiesMayContinue) {
  ConfigSources sources;
  sources.file = WriteFile(
      "yaml", "bootstrap.servers: [a:9092, b:9092]\nconsumer:\n  fetch.min.bytes: 1\nproducer: {linger.ms: 5}\n");
  const Config yaml = *Config::Load(sources);
  sources.file = WriteFile("properties",
                           "# a comment\nbootstrap.servers = a:9092,\\\n    b:9092\nconsumer.fetch.min.bytes:1\n"
                           "producer.linger.ms 5\n! another\n\n");
  const Config properties = *Config::Load(sources);
  for (const Config& config : {yaml, properties}) {
    EXPECT_THAT(config.ClientSettings("consumer"),
                ElementsAre(Pair("bootstrap.servers", "a:9092,b:9092"), Pair("fetch.min.bytes", "1")));
    EXPECT_THAT(config.WithPrefix("producer."), ElementsAre(Pair("linger.ms", "5")));
  }
}

TEST(Config, PropertiesEscapes) {
  ConfigSources sources;
  sources.file = WriteFile("properties", "state.dir=C\\:\\\\data \\u00e9\\tx\r\nsasl.password\\ x=1\n");
  const Config config = *Config::Load(sources);
  EXPECT_EQ(config.String("state.dir"), "C:\\data \xc3\xa9\tx");
  EXPECT_THAT(config.WithPrefix("sasl."), ElementsAre(Pair("password x", "1")));
}

TEST(Config, AnEscapedBackslashAtTheEndDoesNotContinueTheLine) {
  ConfigSources sources;
  sources.file = WriteFile("properties", "state.dir=C:\\\\\nlog.level=debug\n");
  const absl::StatusOr<Config> config = Config::Load(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->String("state.dir"), "C:\\");
  EXPECT_EQ(config->String("log.level"), "debug");
}

TEST(Config, ClientsGetSharedSettingsThenTheirOwn) {
  ConfigSources sources;
  sources.set = {"bootstrap.servers=a:1",           "security.protocol=ssl",       "consumer.fetch.min.bytes=1",
                 "main.consumer.fetch.min.bytes=2", "producer.ssl.ca.location=/p", "ssl.ca.location=/all"};
  const Config config = *Config::Load(sources);
  EXPECT_EQ(config.ClientSettings("main.consumer").at("fetch.min.bytes"), "2");
  EXPECT_EQ(config.ClientSettings("restore.consumer").at("fetch.min.bytes"), "1");
  EXPECT_EQ(config.ClientSettings("producer").at("ssl.ca.location"), "/p");
  EXPECT_EQ(config.ClientSettings("admin").at("ssl.ca.location"), "/all");
  EXPECT_EQ(config.ClientSettings("admin").at("security.protocol"), "ssl");
}

TEST(Config, AnUnknownKeyNamesItsPlaceAndTheNearestKey) {
  ConfigSources sources;
  sources.file = WriteFile("yaml", "\nnum.stream.thread: 2\n");
  EXPECT_EQ(ProblemOf(sources),
            sources.file + ":2: unknown key 'num.stream.thread'; did you mean 'num.stream.threads'?");
  EXPECT_EQ(ProblemOf({.environment = {{"TAILRACE_STATEDIR", "/x"}}}),
            "environment TAILRACE_STATEDIR: unknown key 'statedir'; did you mean 'state.dir'?");
  EXPECT_EQ(ProblemOf({.set = {"zzzzzz=1"}}), "--set zzzzzz: unknown key 'zzzzzz'");
}

TEST(Config, AWrongValueSaysWhatIsExpectedAndAllProblemsComeTogether) {
  const std::string problem =
      ProblemOf({.environment = {{"TAILRACE_COMMIT_INTERVAL_MS", "soon"}},
                 .set = {"processing.guarantee=exactly_twice", "num.stream.threads=0", "state.dir"}});
  EXPECT_THAT(problem, HasSubstr("environment TAILRACE_COMMIT_INTERVAL_MS: 'commit.interval.ms' must be milliseconds, "
                                 "or text such as 30s or 5m, not 'soon'"));
  EXPECT_THAT(problem, HasSubstr("--set processing.guarantee: 'processing.guarantee' must be one of at_least_once, "
                                 "exactly_once_v2, not 'exactly_twice'"));
  EXPECT_THAT(problem, HasSubstr("--set num.stream.threads: 'num.stream.threads' must be at least 1, not '0'"));
  EXPECT_THAT(problem, HasSubstr("--set state.dir: expected key=value"));
}

TEST(Config, KeysThatContradictEachOther) {
  EXPECT_THAT(ProblemOf({.set = {"session.timeout.ms=1000"}}),
              HasSubstr("'heartbeat.interval.ms' (3000) must be less than"));
  EXPECT_THAT(ProblemOf({.set = {"bootstrap.servers=a:1", "log.embedded.dir=/x"}}), HasSubstr("exclude each other"));
}

TEST(Config, FilesThatCannotBeRead) {
  EXPECT_THAT(ProblemOf({.file = "/nowhere/worker.yaml"}),
              HasSubstr("cannot read the configuration file '/nowhere/worker.yaml'"));
  ConfigSources sources;
  sources.file = WriteFile("yaml", "state.dir: /x\nlog.level: [\n");
  EXPECT_THAT(ProblemOf(sources), HasSubstr(sources.file + ":"));
  EXPECT_THAT(ProblemOf(sources), HasSubstr("not valid YAML"));
  sources.file = WriteFile("yaml", "state.dir: /x\nstate.dir: /y\n");
  EXPECT_EQ(ProblemOf(sources), sources.file + ":2: 'state.dir' is set a second time, first at " + sources.file + ":1");
  sources.file = WriteFile("yaml", "just text\n");
  EXPECT_THAT(ProblemOf(sources), HasSubstr("expected 'key: value' lines"));
  sources.file = WriteFile("ini", "a=b\n");
  EXPECT_THAT(ProblemOf(sources), HasSubstr("must end in .yaml"));
}

TEST(Config, PipelineParametersAreAllowedByName) {
  ConfigSources sources;
  sources.parameters = {"window", "retweet_kinds"};
  sources.environment = {{"TAILRACE_RETWEET_KINDS", "retweet,quote"}};
  sources.set = {"window=15m"};
  const absl::StatusOr<Config> config = Config::Load(sources);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->Parameters(), ElementsAre(Pair("retweet_kinds", "retweet,quote"), Pair("window", "15m")));
  EXPECT_THAT(ProblemOf({.set = {"windw=1m"}, .parameters = {"window"}}), HasSubstr("did you mean 'window'?"));
}

TEST(Config, VariablesOfTheBuildAndOfKubernetesAreNoSettings) {
  EXPECT_EQ(ProblemOf({.environment = {{"TAILRACE_DEPS", "/x"},
                                       {"TAILRACE_SERVICE_HOST", "10.0.0.1"},
                                       {"TAILRACE_GATEWAY_PORT_8080_TCP_ADDR", "10.0.0.1"},
                                       {"TAILRACE_PORT", "tcp://10.0.0.1:80"}}}),
            "");
}

TEST(Config, SecretsAreNotPrinted) {
  const Config config =
      *Config::Load({.set = {"sasl.password=hunter2", "producer.ssl.key.password=hunter3", "state.dir=/s"}});
  EXPECT_THAT(config.Describe(), Not(HasSubstr("hunter")));
  EXPECT_THAT(config.Describe(), HasSubstr("sasl.password = (hidden)  (--set sasl.password)"));
  EXPECT_THAT(config.Describe(), HasSubstr("state.dir = /s"));
}

TEST(ConfigDeathTest, AskingForAnUnknownKeyIsAMistakeOfTheProgram) {
  EXPECT_DEATH(Config().String("no.such.key"), "no such configuration key");
}

}  // namespace
}  // namespace tailrace::base
