/* What Python sees of the simulated card. cffi reads this file too, so it holds declarations only. */

/* One input: wire.records.INPUT. */
typedef struct {
    uint64_t timestamp, offset;
    uint32_t length, port;
} twin_input;

/* One packet out: wire.records.OUTPUT. */
typedef struct {
    uint64_t timestamp, cause, offset;
    uint32_t length, reserved;
} twin_output;

/* Where results go. The counts are set to 0 by the caller and say how much was filled in. */
typedef struct {
    uint8_t *events; /* 64 bytes each */
    uint64_t event_capacity, event_count;
    twin_output *outputs;
    uint64_t *output_cycles; /* cycle of each output's first beat */
    uint64_t output_capacity, output_count;
    uint8_t *payload; /* the bytes of the outputs */
    uint64_t payload_capacity, payload_length;
} twin_results;

enum { TWIN_SERIAL, TWIN_STREAMING, TWIN_PACED };             /* modes */
enum { TWIN_DONE, TWIN_FULL, TWIN_PAUSED, TWIN_STUCK };       /* what twin_run answers */

typedef struct twin twin;

twin *twin_create(void);
void twin_destroy(twin *);
/* As after power on: memories too. */
void twin_reset(twin *);
/* Hands over a batch; the arrays stay the caller's and must live until twin_run is done. `cycles` takes two numbers per
   input: the cycles in which its first and last beat were taken. */
void twin_start(twin *, const twin_input *inputs, uint64_t count, const uint8_t *buffer, uint64_t *cycles, int mode);
/* Runs until the batch is through (DONE), a result array is full (FULL), or `cycles` have gone by (PAUSED): call again to go on. STUCK:
   nothing moved for `patience` cycles; twin_message says where. */
int twin_run(twin *, twin_results *, uint64_t cycles, uint64_t patience);
uint64_t twin_progress(const twin *);
uint64_t twin_cycles(const twin *);
const char *twin_message(const twin *);
uint32_t twin_csr_read(twin *, uint32_t address);
void twin_csr_write(twin *, uint32_t address, uint32_t value);
/* 0 if the model was built without waveforms. */
int twin_trace_start(twin *, const char *path);
void twin_trace_stop(twin *);
