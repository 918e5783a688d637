#include <gtest/gtest.h>

#include <thread>

#include "tests/support/transport_support.h"
#include "transport/zmq_weights.h"

namespace londi::transport {
namespace {

using std::chrono::milliseconds;
using testing::FakeProcess;
using testing::In;
using testing::Soon;

class Weights : public ::testing::Test {
 protected:
  static constexpr WeightsPublisherOptions kPublisher{.announce_every = milliseconds(20)};
  static constexpr WeightsSubscriberOptions kSubscriber{.pull_again_after = milliseconds(50)};

  static void Connect(ZmqWeightsSubscriber& subscriber, const ZmqWeightsPublisher& publisher) {
    subscriber.SetEndpoints(publisher.announce_endpoint(), publisher.pull_endpoint());
  }
  // Whether the subscriber gets to `version` in time.
  static bool Reaches(const WeightsSubscriber& subscriber, std::int64_t version) {
    for (const core::TimePoint deadline = Soon(); std::chrono::steady_clock::now() < deadline;) {
      const auto latest = subscriber.Latest();
      if (latest && latest->version == core::WeightsVersion(version)) return true;
      std::this_thread::yield();
    }
    return false;
  }

  FakeProcess learner_{5};
  FakeProcess actor_{9};
  std::unique_ptr<ZmqWeightsPublisher> publisher_ =
      MakeZmqWeightsPublisher(learner_.context(), kPublisher);
  std::unique_ptr<ZmqWeightsSubscriber> subscriber_ =
      MakeZmqWeightsSubscriber(actor_.context(), kSubscriber);
};

TEST_F(Weights, ALateJoinerGetsWhatThereIs) {
  publisher_->Publish(testing::MakeWeights(1));
  publisher_->Publish(testing::MakeWeights(2));
  EXPECT_EQ(subscriber_->Latest(), nullptr);

  Connect(*subscriber_, *publisher_);

  const auto first = subscriber_->WaitForFirst(Soon());
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->version, core::WeightsVersion(2));
  EXPECT_EQ(first->Find("trunk.0.weight").values, std::vector<float>(6, 2.0f));
}

TEST_F(Weights, WhoJoinsBeforeTheFirstWeightsGetsThemToo) {
  Connect(*subscriber_, *publisher_);
  EXPECT_EQ(subscriber_->WaitForFirst(In(milliseconds(30))), nullptr);
  publisher_->Publish(testing::MakeWeights(1));
  EXPECT_TRUE(Reaches(*subscriber_, 1));
}

TEST_F(Weights, EverybodyEndsOnTheNewestHoweverFastTheyCome) {
  Connect(*subscriber_, *publisher_);
  FakeProcess other(10);
  const auto slow = MakeZmqWeightsSubscriber(other.context(), kSubscriber);
  for (int version = 1; version <= 200; ++version) {
    publisher_->Publish(testing::MakeWeights(version, 20'000));
    if (version == 100) Connect(*slow, *publisher_);
  }
  EXPECT_TRUE(Reaches(*subscriber_, 200));
  EXPECT_TRUE(Reaches(*slow, 200));
}

TEST_F(Weights, VersionsNeverGoBack) {
  Connect(*subscriber_, *publisher_);
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::int64_t last = 0;
    while (!done) {
      const auto latest = subscriber_->Latest();
      if (!latest) continue;
      EXPECT_GE(latest->version.value, last);
      last = latest->version.value;
    }
  });
  for (int version = 1; version <= 50; ++version)
    publisher_->Publish(testing::MakeWeights(version));
  EXPECT_TRUE(Reaches(*subscriber_, 50));
  done = true;
  reader.join();
  EXPECT_THROW(publisher_->Publish(testing::MakeWeights(50)), core::ProtocolError);
}

// A learner restarted from an older checkpoint publishes lower versions; its incarnation makes them
// the newer ones.
TEST_F(Weights, ARestartedLearnerWinsThoughItsVersionsAreLower) {
  Connect(*subscriber_, *publisher_);
  publisher_->Publish(testing::MakeWeights(50));
  ASSERT_TRUE(Reaches(*subscriber_, 50));
  publisher_.reset();

  FakeProcess reborn(6);
  const auto publisher = MakeZmqWeightsPublisher(reborn.context(), kPublisher);
  publisher->Publish(testing::MakeWeights(41));
  Connect(*subscriber_, *publisher);

  EXPECT_TRUE(Reaches(*subscriber_, 41));
}

TEST_F(Weights, ALearnerOfAnOlderEpochIsIgnoredUntilItCatchesUp) {
  actor_.session->RaiseEpoch(core::Epoch(2));
  Connect(*subscriber_, *publisher_);
  publisher_->Publish(testing::MakeWeights(1));
  EXPECT_EQ(subscriber_->WaitForFirst(In(milliseconds(100))), nullptr);

  learner_.session->RaiseEpoch(core::Epoch(2));
  EXPECT_TRUE(Reaches(*subscriber_, 1));
}

// Actors went on with old weights, and nobody was told.
TEST_F(Weights, APublisherWhoseThreadFailedSaysSo) {
  learner_.sockets.context().shutdown();

  std::int64_t version = 0;
  EXPECT_TRUE(testing::ThrowsSoon<zmq::error_t>(
      [&] { publisher_->Publish(testing::MakeWeights(++version)); }));
}

TEST_F(Weights, ClosingFreesWhoWaits) {
  std::thread waiter(
      [&] { EXPECT_EQ(subscriber_->WaitForFirst(core::TimePoint::max()), nullptr); });
  subscriber_->Close();
  waiter.join();
}

}  // namespace
}  // namespace londi::transport
