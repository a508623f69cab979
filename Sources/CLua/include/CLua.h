/// The barrier between Swift and Lua: everything Swift may know of Lua is in this header.
///
/// No Lua header is included here, and no Swift object file refers to a `lua_*` symbol: an error
/// in Lua is a longjmp, and a longjmp over a Swift frame is undefined behaviour.
///
/// A call from Lua has two phases. C decodes the arguments (and may raise, because no Swift frame
/// is alive yet), then calls a Swift *leaf* with plain values. The leaf touches no Lua and
/// answers with plain values. When its frame is gone, C pushes results, yields or raises.
#ifndef CLUA_H
#define CLUA_H

#include <stddef.h>
#include <stdint.h>

// Only what is never NULL says so.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

typedef struct lr_host lr_host;
typedef struct lr_function lr_function;
typedef struct lua_State lr_thread;

#define LR_MAX_ARGUMENTS 32
#define LR_MAX_RESULTS 32
#define LR_MAX_CODES 8  // letters of a signature

/// What a plain value is. ORDER LR_KIND (decode.c, push.c)
enum {
  LR_NIL = 0,
  LR_FALSE,
  LR_TRUE,
  LR_INTEGER,
  LR_NUMBER,
  LR_BYTES,    // arguments: borrowed from the Lua stack; results: copied by C after the leaf
  LR_HANDLE,   // class, slot and generation
  LR_LIST,     // results only: `length` values at `items` become a sequence
  LR_MAP,      // results only: `length` pairs of values at `items` become a table
  LR_OTHER,    // arguments only: a table, function, … that has no plain form
  LR_NUMERAL,  // results only: a NUL-ended text becomes the number that it spells
  LR_SAME,     // results only: the argument with the number `integer`, from 1 on
};

typedef struct lr_value {
  uint32_t kind;
  uint32_t class_id;  // of a handle
  union {
    int64_t integer;
    double number;
    const char *bytes;
    const struct lr_value *items;
    struct {
      uint32_t slot;
      uint32_t generation;
    } handle;
  };
  size_t length;  // of bytes, in bytes; of a list, in items; of a map, in pairs
} lr_value;

/// Why a leaf runs: for the first time, or because the wait that it began has ended.
/// ORDER LR_REASON (WakeReason in Reactor)
enum {
  LR_FIRST = 0,
  LR_READY,
  LR_TIMEOUT,
  LR_CANCELLED,
  LR_CLOSED,
  LR_SHUTDOWN,
};

/// What a leaf answers.
enum {
  LR_RETURN = 0,   // push `result_count` results
  LR_WAIT,         // yield; the task is parked, and the leaf runs again when its wait ends
  LR_RAISE,        // raise results[0] as an error with the caller's position
  LR_ARGUMENT,     // raise results[0] as an error of argument number `bad_argument`
  LR_CANCEL,       // raise the cancellation object
  LR_TASK_RESULT,  // push the results of the finished task in argument 1, or raise its error
  LR_CHECK,        // this call may wait: check what LR_WAITS does, then run the leaf again
  LR_STOP,         // end the task: raise at once, and at every instruction of what catches it
};

/// One task: a coroutine of its own, which the scheduler resumes. Memory belongs to C; the
/// fields below `flags` belong to the scheduler.
typedef struct lr_task {
  lr_thread *thread;
  uint32_t slot;
  uint32_t generation;
  uint32_t flags;
  uint32_t site;     // where it was spawned
  uint8_t reason;    // why the last wait ended
  uint8_t shields;   // depth of task.shield
  uint16_t budget;   // operations left in this turn
  uint32_t parent;   // slots; 0 is none
  uint32_t first_child;
  uint32_t previous_sibling;
  uint32_t next_sibling;
  uint32_t kept_count;  // what a fast leaf needs when its wait ends …
  void *kept;
  void *waiter;      // the reactor's wait record
  /// Head of the queue of tasks that wait for this one. With LR_TASK_OWNS: slot and generation
  /// (upper half) of the connection that is closed at its end.
  void *joiners;
} lr_task;

enum {
  LR_TASK_LIVE = 1u << 0,
  LR_TASK_CANCELLED = 1u << 1,  // every wait raises until the task ends
  LR_TASK_DETACHED = 1u << 2,
  LR_TASK_OBSERVED = 1u << 3,   // somebody has seen, or will see, its failure
  LR_TASK_FAILED = 1u << 4,
  LR_TASK_HANDED_OUT = 1u << 5, // a script holds the coroutine: it is not used again
  LR_TASK_MAIN = 1u << 6,
  LR_TASK_ENDING = 1u << 7,     // its body has ended; it waits for its children
  LR_TASK_SHIELDED = 1u << 8,   // a cancel is noted, and raised when the shield ends
  LR_TASK_PACKED = 1u << 9,     // its result is a table of several
  LR_TASK_INHERITED = 1u << 10, // a child's error is its outcome
  LR_TASK_OWNS = 1u << 11,      // serves a connection: nobody holds it, its failure is its own
  LR_TASK_STARTED = 1u << 12,   // was resumed before: its arguments are gone
  LR_TASK_KNOWN = 1u << 13,     // asked for its own handle, which lives as long as it does
};

/// The one call that a leaf sees. It belongs to the host and is used anew by every call.
typedef struct lr_call {
  lr_host *host;
  void *context;          // what `lr_set_context` set
  const void *data;       // what the definition of this function carries
  lr_task *task;          // the task that calls; NULL outside of tasks
  lr_thread *caller;      // for `lr_site` only
  uint32_t slot;          // of the handle whose method this is …
  uint32_t generation;
  uint32_t reason;        // LR_FIRST, or why the wait ended
  uint32_t argument_count;
  uint32_t result_count;
  uint32_t bad_argument;
  uint32_t serial;        // counts calls of leaves
  uint32_t checked;       // the leaf runs again after LR_CHECK; the leaf clears it
  uint32_t *commit;       // set to 1 by C when the results have reached the script
  lr_value *_Nonnull arguments;  // LR_MAX_ARGUMENTS of them
  lr_value *_Nonnull results;    // LR_MAX_RESULTS of them
} lr_call;

typedef int32_t (*lr_leaf)(lr_call *_Nonnull call);

/// A leaf for the hottest methods: plain arguments in registers, and no call record unless the
/// answer needs one. `handle` is slot and generation (generation in the upper half); `argument`
/// an integer, or the length of `bytes`.
typedef int64_t (*lr_fast_leaf)(
  void *_Nonnull context, lr_task *_Nonnull task, uint64_t handle, int64_t argument,
  const char *_Nullable bytes);

/// Goes on after a wait of a fast leaf that ended with LR_READY, with what it kept in the task.
typedef int64_t (*lr_fast_again)(void *_Nonnull context, lr_task *_Nonnull task);

/// What a fast leaf answers, when it is not a number of bytes (0 or more).
enum {
  LR_FAST_WAIT = -1,     // the task is parked
  LR_FAST_GENERAL = -2,  // nothing was done: the leaf proper is to be called
  LR_FAST_ANSWER = -3,   // the results are in the host's call record
};

/// A function that Lua can call.
///
/// The signature has one letter an argument: `h` a handle of the function's class, `H` any
/// handle, `i` integer, `n` number, `t` timeout in seconds (nil is none, NaN is refused),
/// `s` string, `b` boolean, `v` any plain value, `f` a callable value, `a` any value at all. `?`
/// after a letter makes it optional; `*` at the end takes the rest as plain values.
typedef struct lr_definition {
  const char *name;
  const char *signature;
  lr_leaf leaf;
  const void *data;
  uint32_t class_id;  // 0: a function of the module; else a method of that class
  uint32_t flags;
  lr_fast_leaf _Nullable fast;  // for methods `hi?…` that answer bytes, and `hs…` that send them
  lr_fast_again _Nullable fast_again;
} lr_definition;

enum {
  LR_WAITS = 1u << 0,  // may wait: refused where the caller cannot yield, raises when cancelled
  LR_TEXTS = 1u << 1,  // the arguments behind the handle are strings or numbers …
  LR_JOINS = 1u << 2,  // … and arrive as one string
};

typedef struct lr_options {
  size_t soft_limit;  // bytes; 0 is none. Above it the collector works harder
  size_t hard_limit;  // bytes; 0 is none. Above it an allocation is refused
  uint32_t no_environment;  // 1: LUA_PATH and LUA_CPATH are not looked at
  uint32_t pinned;          // 1: what scripts can see depends on what they do alone …
  uint32_t place;           // … with memory at place 2 … 16,383, which no other state has
  uint32_t hash_seed;       // … and this seed for the order of keys
} lr_options;

/// A text that C owns until the next call that returns one.
typedef struct lr_text {
  const char *bytes;
  size_t length;
} lr_text;

// The host. Calls that return int32_t answer 0, or less than zero with `lr_error` set.
lr_host *lr_host_open(const lr_options *options);
void lr_host_close(lr_host *host);
/// Lets no finalizer run when the host is closed, as when a process is killed.
void lr_host_abandon(lr_host *host);

/// Why no state can be pinned at a place: NULL when one can. The first call tries pinning out.
const char *lr_pin_refusal(uint32_t place);
/// The trial alone, for a test that has it look for the seed at another offset; 0 pins nothing.
const char *lr_pin_try(size_t seed_offset);

/// What scripts of a pinned host may do until this is called again, in instructions. Behind that
/// an error ends whatever runs.
void lr_meter_allow(lr_host *host, int64_t instructions);
/// Whether a task was ended because nothing was left.
int32_t lr_meter_is_spent(const lr_host *host);

/// What every call carries as `context` from now on; where fast leaves put the bytes that they
/// answer, and the flag that is set to 1 when a script has them.
void lr_set_context(lr_host *host, void *context, const char *scratch, uint32_t *commit);
/// The one call record of the host.
lr_call *_Nonnull lr_call_record(lr_host *host);
lr_text lr_error(lr_host *host);
size_t lr_bytes(const lr_host *host);

/// Makes a class of handles; the result is its id, from 1 on. The first is the class of tasks.
int32_t lr_class(lr_host *host, const char *name, lr_leaf describe, const void *data);
int32_t lr_define(
  lr_host *host, const char *module, const lr_definition *definitions, size_t count);

/// Lua source that is built into the binary.
typedef struct lr_source {
  const char *module;
  const char *bytes;
  size_t length;
} lr_source;
extern const size_t lr_source_count;
const lr_source *lr_source_at(size_t index);

/// Gives a module Lua source, which `require` runs with (name, table of its native functions).
/// `source` and what it points to must outlive the host.
int32_t lr_prelude(lr_host *host, const lr_source *source);
/// Runs such a module now.
int32_t lr_run_module(lr_host *host, const char *module);
int32_t lr_set_arguments(lr_host *host, const lr_value *values, size_t count, int32_t script);

/// Lua source (never bytecode) and what messages call it.
typedef struct lr_chunk_source {
  const char *bytes;
  size_t length;
  const char *name;
} lr_chunk_source;

/// Loads chunks and makes them the body of one task: they run one after another. The last gets
/// the arguments, and its results are the task's.
lr_task *lr_task_load(
  lr_host *host, const lr_chunk_source *chunks, size_t chunk_count, const lr_value *arguments,
  size_t count);

/// How a resume ended.
enum {
  LR_PARKED = 0,
  LR_YIELDED,  // it lets the others pass
  LR_SPENT,    // its operations are used up: it goes on after the next poll
  LR_DONE,
  LR_FAILED,
};

/// Operations that a task may do in one resume; then it yields, so that others run. What moves
/// many bytes counts as several, so that a resume moves 256 KiB and one operation's more at most.
#define LR_BUDGET 128
#define LR_OPERATION_BYTES 2048

/// Resumes a task until it waits, yields or ends. An ended one's outcome stays on its coroutine
/// until `lr_task_finish`.
int32_t lr_task_resume(lr_host *host, lr_task *task);

/// Makes the error of `child`, which has failed, the outcome of `parent`.
void lr_task_inherit(lr_host *host, lr_task *parent, lr_task *child);
/// Whether the body of a task failed with the cancellation object.
int32_t lr_task_was_cancelled(lr_host *host, lr_task *task);
/// Settles the outcome of a task whose body has ended in its handle, and frees its slot.
void lr_task_finish(lr_host *host, lr_task *task);
lr_task *lr_task_at(lr_host *host, uint32_t slot);
uint32_t lr_task_limit(const lr_host *host);  // slots are below this
size_t lr_task_live(const lr_host *host);

/// The error and traceback of a task that failed, as one text for people.
lr_text lr_task_error(lr_host *host, lr_task *task);
/// The traceback of a task that waits.
lr_text lr_task_traceback(lr_host *host, lr_task *task);
/// The plain value that an ended task returned first; before `lr_task_finish` only.
lr_value lr_task_value(lr_host *host, lr_task *task);

/// What `task.spawn` calls with the host's context, the new task, and the one that spawns it.
void lr_set_spawned(lr_host *host, void (*spawned)(void *context, lr_task *task, lr_task *by));

/// Makes a handle value for a leaf's results.
lr_value lr_handle(uint32_t class_id, uint32_t slot, uint32_t generation);

/// Handles that were collected: takes the oldest. False when there is none.
typedef struct lr_drop {
  uint32_t class_id;
  uint32_t slot;
  uint32_t generation;
} lr_drop;
int32_t lr_take_drop(lr_host *host, lr_drop *drop);

/// Whether a finalizer (`__gc`) of a script runs now. One can run inside of any call that makes a
/// Lua value, between two results of a leaf too: what these point to must stay then.
int32_t lr_in_finalizer(const lr_host *host);

/// The place in a script that made this call, as a small number. 0: unknown.
uint32_t lr_site(lr_call *call);
lr_text lr_site_text(lr_host *host, uint32_t site);

/// Fits the collector's pace to the heap: a small one is collected rarely, because each
/// collection walks all of it. Leaves a pace alone that a script has set.
void lr_pace_collector(lr_host *host);

/// Runs `bytes` of collection work; 0 makes a full collection.
void lr_collect(lr_host *host, size_t bytes);

/// Whether the caller may wait here, for a leaf that can also go on without.
int32_t lr_can_wait(lr_call *_Nonnull call);

/// Lets a task do what its end needs, and no more: after some 10 million instructions every
/// further one raises. From the first call on this holds for every coroutine that is resumed.
void lr_task_stop(lr_host *host, lr_task *task);

/// Puts templates such as "lib/?.lua;lib/?/init.lua" before those that `require` had at start.
int32_t lr_set_search_path(lr_host *host, const char *templates);

/// What is called with `context` and every warning, a text that C owns. It must not call Lua.
void lr_set_warn(
  lr_host *host, void (*tell)(void *context, const char *text, size_t length), void *context);

/// "Lua 5.4.4".
const char *lr_version(void);
/// Runs stock Lua, with nothing of ours, by the rules of lua(1); the result is its exit status.
int32_t lr_run_plain(int32_t argc, char **argv);

// The allocator's switches for tests: fails allocation number `first` after now (1 is the next).
// mode 0: that one only; 1: that one and the next; 2: every one from it on.
void lr_fail_allocation(lr_host *host, uint64_t first, int32_t mode);
uint64_t lr_allocation_count(const lr_host *host);
/// The same for the next `lr_host_open`, which has no host yet.
void lr_fail_opening(uint64_t first, int32_t mode);

#pragma clang diagnostic pop
#endif
