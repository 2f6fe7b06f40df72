// The simulated card behind the ABI of abi.h: drives the ports of the Verilated model cycle by cycle.
//
// ports.h is generated from the component's signature: it defines Model, the table `input_ports` in the order of
// wire.records.Port, and accessors for everything else.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

#include "ports.h"

// Everything else stays inside the library: several models live in one process.
#pragma GCC visibility push(default)
extern "C" {
#include "abi.h"
}
#pragma GCC visibility pop

namespace {

constexpr unsigned PORTS = 6, TICK = 5;
constexpr unsigned EVENT_LENGTH = 64;
constexpr unsigned RESET_CYCLES = 8;
constexpr unsigned SETTLED_CYCLES = 2;  // idle this long counts as idle
constexpr uint64_t CYCLE_PS = 6400;     // of TWIN_PACED: 156.25 MHz
constexpr uint64_t POWER_ON_CYCLES = 1'000'000;  // clearing memories takes at most this long

// The inputs of one port that wait, and how much of the first one was taken.
struct Queue {
    std::vector<uint64_t> waiting;
    size_t head = 0;
    uint32_t taken = 0;
    bool offered = false;  // a beat is on the port and was not taken yet
    bool driven = false;   // valid is high

    bool empty() const { return head == waiting.size(); }
    void clear() { *this = Queue(); }
};

}  // namespace

struct twin {
    twin() { power_on(); }

    ~twin() { trace_stop(); }

    // -- batches ------------------------------------------------------------------------------

    void start(const twin_input *inputs, uint64_t count, const uint8_t *buffer, uint64_t *cycles, int mode) {
        inputs_ = inputs, count_ = count, buffer_ = buffer, input_cycles_ = cycles, mode_ = mode;
        next_ = done_ = 0;
        settled_ = 0;
        moved_ = cycle_;
        for (Queue &queue : queues_) queue.clear();
        if (mode_ != TWIN_SERIAL) {
            paced_from_ = cycle_, paced_at_ = count_ ? inputs_[0].timestamp : 0;
            for (uint64_t i = 0; i < count_; ++i) queues_[inputs_[i].port].waiting.push_back(i);
            next_ = count_;
        }
    }

    int run(twin_results &results, uint64_t cycles, uint64_t patience) {
        results_ = &results;
        const uint64_t end = cycle_ + cycles;
        for (;;) {
            if (!deliver()) return TWIN_FULL;
            if (settled_ >= SETTLED_CYCLES && done_ == next_) {
                if (next_ == count_) return TWIN_DONE;
                Queue &queue = queues_[inputs_[next_].port];  // serial: the next one, alone
                queue.clear();
                queue.waiting.push_back(next_++);
            }
            if (cycle_ >= end) return TWIN_PAUSED;
            if (cycle_ - moved_ > patience) return stuck(patience);
            step();
        }
    }

    // -- registers ----------------------------------------------------------------------------

    uint32_t csr_read(uint32_t address) {
        set_csr_address(*model_, address);
        set_csr_read(*model_, 1);
        step();
        set_csr_read(*model_, 0);
        return get_csr_read_data(*model_);
    }

    void csr_write(uint32_t address, uint32_t value) {
        set_csr_address(*model_, address);
        set_csr_write_data(*model_, value);
        set_csr_write(*model_, 1);
        step();
        set_csr_write(*model_, 0);
    }

    // -- life ---------------------------------------------------------------------------------

    void power_on() {
        trace_stop();
        model_.reset();
        context_ = std::make_unique<VerilatedContext>();
#if VM_TRACE
        context_->traceEverOn(true);
#endif
        model_ = std::make_unique<Model>(context_.get(), "card");
        for (Queue &queue : queues_) queue.clear();
        count_ = next_ = done_ = 0;
        event_filled_ = 0, packet_.clear(), packet_done_ = false;
        cycle_ = settled_ = moved_ = now_ = 0;
        model_->rst = 1;
        for (unsigned i = 0; i < RESET_CYCLES; ++i) step();
        model_->rst = 0;
        while (settled_ < SETTLED_CYCLES && cycle_ < POWER_ON_CYCLES) step();
    }

    bool trace_start(const char *path) {
#if VM_TRACE
        trace_stop();
        trace_ = std::make_unique<VerilatedFstC>();
        model_->trace(trace_.get(), 99);
        trace_->open(path);
        return trace_->isOpen();
#else
        (void)path;
        return false;
#endif
    }

    void trace_stop() {
#if VM_TRACE
        if (trace_) trace_->close();
        trace_.reset();
#endif
    }

    uint64_t progress() const { return done_; }
    uint64_t cycle() const { return cycle_; }
    const char *message() const { return message_.c_str(); }

private:
    // One clock cycle with input offered and output taken.
    void step() {
        if (mode_ == TWIN_PACED && next_) now_ = std::max(now_, paced_at_ + (cycle_ - paced_from_) * CYCLE_PS / 1000);
        for (unsigned port = 0; port < PORTS; ++port) offer(port);
        set_now(*model_, now_);
        const bool event_ready = event_filled_ < EVENT_LENGTH, order_ready = !packet_done_;
        set_event_ready(*model_, event_ready);
        set_order_ready(*model_, order_ready);
        model_->clk = 0;
        model_->eval();
        dump(2 * cycle_);

        const bool event = get_event_valid(*model_), order = get_order_valid(*model_);
        bool waiting = event || order || event_filled_ || !packet_.empty();
        for (unsigned port = 0; port < PORTS; ++port) {
            waiting |= queues_[port].offered;
            if (queues_[port].offered && input_ports[port].ready(*model_)) take(port);
        }
        settled_ = get_idle(*model_) && !waiting ? settled_ + 1 : 0;
        if (settled_) moved_ = cycle_;
        if (event && event_ready) {
            const uint64_t beat = get_event_payload(*model_);
            std::memcpy(event_ + event_filled_, &beat, 8);
            event_filled_ += 8;
        }
        if (order && order_ready) collect();

        model_->clk = 1;
        model_->eval();
        dump(2 * cycle_ + 1);
        ++cycle_;
    }

    void dump(uint64_t time) {
#if VM_TRACE
        if (trace_) trace_->dump(time);
#else
        (void)time;
#endif
    }

    void offer(unsigned port) {
        Queue &queue = queues_[port];
        const bool early = mode_ == TWIN_PACED && !queue.empty() && !queue.taken && inputs_[queue.waiting[queue.head]].timestamp > now_;
        if (early) moved_ = cycle_;
        if (early || queue.empty()) {
            if (queue.driven) input_ports[port].drive(*model_, false, 0, false, 0);
            queue.driven = false;
            return;
        }
        if (queue.offered) return;
        const twin_input &input = inputs_[queue.waiting[queue.head]];
        if (queue.taken == 0) now_ = std::max(now_, input.timestamp);
        const uint32_t left = input.length - queue.taken, bytes = std::min(left, 8u);
        uint64_t data = 0;
        if (port != TICK) std::memcpy(&data, buffer_ + input.offset + queue.taken, bytes);
        input_ports[port].drive(*model_, true, data, left <= 8, bytes);
        queue.offered = queue.driven = true;
    }

    void take(unsigned port) {
        Queue &queue = queues_[port];
        const uint64_t index = queue.waiting[queue.head];
        const uint32_t length = inputs_[index].length;
        if (queue.taken == 0) input_cycles_[2 * index] = cycle_;
        moved_ = cycle_;
        queue.offered = false;
        queue.taken += std::min(length - queue.taken, 8u);
        if (queue.taken < length && port != TICK) return;
        input_cycles_[2 * index + 1] = cycle_;
        queue.taken = 0;
        ++queue.head;
        ++done_;
    }

    void collect() {
        if (packet_.empty()) {
            output_ = {get_order_stamp(*model_), get_order_cause(*model_), 0, 0, 0};
            output_cycle_ = cycle_;
        }
        const uint64_t data = get_order_data(*model_);
        const auto *bytes = reinterpret_cast<const uint8_t *>(&data);
        packet_.insert(packet_.end(), bytes, bytes + std::min<uint64_t>(get_order_count(*model_), 8));
        packet_done_ = get_order_last(*model_);
    }

    // Hands what is complete to the caller; false if there is no room for it.
    bool deliver() {
        twin_results &to = *results_;
        if (event_filled_ == EVENT_LENGTH) {
            if (to.event_count == to.event_capacity) return false;
            std::memcpy(to.events + EVENT_LENGTH * to.event_count++, event_, EVENT_LENGTH);
            event_filled_ = 0;
        }
        if (packet_done_) {
            if (to.output_count == to.output_capacity || to.payload_capacity - to.payload_length < packet_.size())
                return false;
            output_.offset = to.payload_length;
            output_.length = packet_.size();
            std::memcpy(to.payload + to.payload_length, packet_.data(), packet_.size());
            to.payload_length += packet_.size();
            to.output_cycles[to.output_count] = output_cycle_;
            to.outputs[to.output_count++] = output_;
            packet_.clear();
            packet_done_ = false;
        }
        return true;
    }

    int stuck(uint64_t patience) {
        message_ = "nothing moved for " + std::to_string(patience) + " cycles, at cycle " + std::to_string(cycle_) + ": ";
        const char *separator = "";
        for (unsigned port = 0; port < PORTS; ++port) {
            const Queue &queue = queues_[port];
            if (queue.empty()) continue;
            message_ += separator + std::string(input_ports[port].name) + " was not ready for input " +
                        std::to_string(queue.waiting[queue.head]) + " at byte " + std::to_string(queue.taken);
            separator = ", ";
        }
        if (!get_idle(*model_)) message_ += std::string(separator) + "idle stayed low", separator = ", ";
        if (event_filled_) message_ += std::string(separator) + "an event ended after " + std::to_string(event_filled_) + " bytes", separator = ", ";
        if (!packet_.empty()) message_ += std::string(separator) + "an order packet ended after " + std::to_string(packet_.size()) + " bytes";
        return TWIN_STUCK;
    }

    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Model> model_;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> trace_;
#endif
    uint64_t cycle_ = 0, now_ = 0;
    uint64_t settled_ = 0;  // cycles that the card has been idle
    uint64_t moved_ = 0;    // cycle in which something was taken, or the card was idle

    const twin_input *inputs_ = nullptr;
    const uint8_t *buffer_ = nullptr;
    uint64_t *input_cycles_ = nullptr;
    uint64_t count_ = 0, next_ = 0, done_ = 0;  // inputs: in all, queued, taken
    int mode_ = TWIN_SERIAL;
    uint64_t paced_from_ = 0, paced_at_ = 0;  // cycle and stamp at which a paced batch began
    Queue queues_[PORTS];

    twin_results *results_ = nullptr;
    uint8_t event_[EVENT_LENGTH];
    unsigned event_filled_ = 0;
    twin_output output_{};
    uint64_t output_cycle_ = 0;
    std::vector<uint8_t> packet_;
    bool packet_done_ = false;
    std::string message_;
};

extern "C" {

twin *twin_create() { return new twin(); }
void twin_destroy(twin *self) { delete self; }
void twin_reset(twin *self) { self->power_on(); }
void twin_start(twin *self, const twin_input *inputs, uint64_t count, const uint8_t *buffer, uint64_t *cycles, int mode) {
    self->start(inputs, count, buffer, cycles, mode);
}
int twin_run(twin *self, twin_results *results, uint64_t cycles, uint64_t patience) {
    return self->run(*results, cycles, patience);
}
uint64_t twin_progress(const twin *self) { return self->progress(); }
uint64_t twin_cycles(const twin *self) { return self->cycle(); }
const char *twin_message(const twin *self) { return self->message(); }
uint32_t twin_csr_read(twin *self, uint32_t address) { return self->csr_read(address); }
void twin_csr_write(twin *self, uint32_t address, uint32_t value) { self->csr_write(address, value); }
int twin_trace_start(twin *self, const char *path) { return self->trace_start(path); }
void twin_trace_stop(twin *self) { self->trace_stop(); }

}  // extern "C"
