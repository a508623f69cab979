// Stock Lua under the rules of lua(1): what `--plain` runs. Nothing of ours is in the state.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

typedef struct {
  int argc;
  char **argv;
  int script;  // index of its name; argc when there is none
  bool interactive, version, statements, no_environment;
  int bad;     // index of the word that is no option; 0: none
} plain_line;

static const char *program;

static void complain(const char *message) {
  if (program) fprintf(stderr, "%s: ", program);
  fprintf(stderr, "%s\n", message);
}

static bool report(lua_State *L, int status) {
  if (status == LUA_OK) return true;
  complain(lua_tostring(L, -1));
  lua_pop(L, 1);
  return false;
}

/// Makes a text of the error object, with the traceback.
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

// MARK: Interrupts

static lua_State *interrupted;

static void stop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

static void on_interrupt(int signal_number) {
  signal(signal_number, SIG_DFL);  // a second one ends the process
  lua_sethook(interrupted, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/// Calls the function below `count` arguments, with tracebacks.
static int call(lua_State *L, int count, int results) {
  int base = lua_gettop(L) - count;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, base);
  interrupted = L;
  signal(SIGINT, on_interrupt);
  int status = lua_pcall(L, count, results, base);
  signal(SIGINT, SIG_DFL);
  lua_remove(L, base);
  return status;
}

static bool run(lua_State *L, int status) {
  if (status == LUA_OK) status = call(L, 0, 0);
  return report(L, status);
}

static bool run_text(lua_State *L, const char *text, const char *name) {
  return run(L, luaL_loadbuffer(L, text, strlen(text), name));
}

// MARK: The command line

/// Finds the script, and the first word that is no option.
static void read_line(plain_line *line) {
  int i = 1;
  for (; i < line->argc; i++) {
    const char *word = line->argv[i];
    if (word[0] != '-' || word[1] == 0) break;  // a script, or standard input
    bool alone = word[2] == 0;
    switch (word[1]) {
      case '-':
        if (alone) i += 1; else line->bad = i;
        line->script = i;
        return;
      case 'E':
        line->no_environment = true;
        break;
      case 'i':
        line->interactive = line->version = true;
        break;
      case 'v':
        line->version = true;
        break;
      case 'W':
        break;
      case 'e':
        line->statements = true;
        __attribute__((fallthrough));
      case 'l':
        if (alone && (i + 1 == line->argc || line->argv[i + 1][0] == '-')) line->bad = i;
        if (alone) i += 1;
        alone = true;
        break;
      default:
        alone = false;
    }
    if (!alone) line->bad = i;
    if (line->bad) return;
  }
  line->script = i;
}

static int usage(const plain_line *line) {
  const char *word = line->argv[line->bad];
  bool wants = word[1] == 'e' || word[1] == 'l';
  fprintf(stderr, wants ? "%s: '%s' needs argument\n" : "%s: unrecognized option '%s'\n", program,
    word);
  fprintf(stderr,
    "usage: %s [options] [script [args]]\n"
    "Available options are:\n"
    "  -e stat   execute string 'stat'\n"
    "  -i        enter interactive mode after executing 'script'\n"
    "  -l mod    require library 'mod' into global 'mod'\n"
    "  -l g=mod  require library 'mod' into global 'g'\n"
    "  -v        show version information\n"
    "  -E        ignore environment variables\n"
    "  -W        turn warnings on\n"
    "  --        stop handling options\n"
    "  -         stop handling options and execute stdin\n",
    program);
  return EXIT_FAILURE;
}

static void set_arguments(lua_State *L, const plain_line *line) {
  int script = line->script == line->argc ? 0 : line->script;
  lua_createtable(L, line->argc - script, script + 1);
  for (int i = 0; i < line->argc; i++) {
    lua_pushstring(L, line->argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static bool run_environment(lua_State *L) {
  const char *name = "=LUA_INIT_5_4";
  const char *text = getenv(name + 1);
  if (!text) text = getenv((name = "=LUA_INIT") + 1);
  if (!text) return true;
  return text[0] == '@' ? run(L, luaL_loadfile(L, text + 1)) : run_text(L, text, name);
}

static bool require(lua_State *L, const char *word) {
  const char *equals = strchr(word, '=');
  const char *module = equals ? equals + 1 : word;
  lua_pushlstring(L, word, equals ? (size_t)(equals - word) : strlen(word));
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = call(L, 1, 1);
  if (status == LUA_OK) {
    lua_pushglobaltable(L);
    lua_insert(L, -3);
    lua_rawset(L, -3);
  } else {
    lua_remove(L, -2);
  }
  if (status == LUA_OK) lua_pop(L, 1);
  return report(L, status);
}

static bool run_options(lua_State *L, const plain_line *line) {
  for (int i = 1; i < line->script && line->argv[i][0] == '-'; i++) {
    const char *word = line->argv[i];
    if (word[1] == 'W') lua_warning(L, "@on", 0);
    if (word[1] != 'e' && word[1] != 'l') continue;
    const char *text = word[2] ? word + 2 : line->argv[++i];
    bool ok = word[1] == 'e' ? run_text(L, text, "=(command line)") : require(L, text);
    if (!ok) return false;
  }
  return true;
}

static bool run_script(lua_State *L, const plain_line *line) {
  const char *name = line->argv[line->script];
  bool input = strcmp(name, "-") == 0 && strcmp(line->argv[line->script - 1], "--") != 0;
  int status = luaL_loadfile(L, input ? NULL : name);
  if (status == LUA_OK) {
    int count = line->argc - line->script - 1;
    luaL_checkstack(L, count + 3, "too many arguments to script");
    for (int i = 1; i <= count; i++) lua_pushstring(L, line->argv[line->script + i]);
    status = call(L, count, LUA_MULTRET);
  }
  return report(L, status);
}

// MARK: The prompt

/// Pushes the next line of standard input. False: there is none.
static bool push_line(lua_State *L, bool first) {
  int top = lua_gettop(L);
  lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2");
  fputs(lua_isnil(L, -1) ? (first ? "> " : ">> ") : luaL_tolstring(L, -1, NULL), stdout);
  fflush(stdout);
  lua_settop(L, top);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  int c;
  while ((c = getchar()) != EOF && c != '\n') luaL_addchar(&buffer, (char)c);
  luaL_pushresult(&buffer);
  return c != EOF || lua_rawlen(L, -1) > 0;
}

static bool is_incomplete(lua_State *L) {
  size_t length;
  const char *message = lua_tolstring(L, -1, &length);
  return length >= 5 && strcmp(message + length - 5, "<eof>") == 0;
}

/// Replaces the line in slot 1 by its function: an expression first, else a statement, for which
/// more lines are asked while it is incomplete. On an error the message is left.
static int compile(lua_State *L) {
  const char *line = lua_tostring(L, 1);
  if (line[0] == '=') {  // as in Lua 5.2: "=x" shows x
    lua_pushfstring(L, "return %s", line + 1);
    lua_replace(L, 1);
    line = lua_tostring(L, 1);
  }
  const char *text = lua_pushfstring(L, "return %s", line);
  int status = luaL_loadbuffer(L, text, strlen(text), "=stdin");
  while (status != LUA_OK) {
    lua_settop(L, 1);
    size_t length;
    text = lua_tolstring(L, 1, &length);
    status = luaL_loadbuffer(L, text, length, "=stdin");
    if (status != LUA_ERRSYNTAX || !is_incomplete(L)) break;
    lua_settop(L, 1);
    lua_pushliteral(L, "\n");
    if (!push_line(L, false)) {
      lua_pushliteral(L, "unfinished line at the end of the input");
      break;
    }
    lua_concat(L, 3);
  }
  lua_replace(L, 1);
  lua_settop(L, 1);
  return status;
}

static void prompt(lua_State *L) {
  const char *name = program;
  program = NULL;
  lua_settop(L, 0);
  while (push_line(L, true)) {
    int status = compile(L);
    if (status == LUA_OK) status = call(L, 0, LUA_MULTRET);
    if (status == LUA_OK && lua_gettop(L) > 0) {
      lua_getglobal(L, "print");
      lua_insert(L, 1);
      status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
    }
    report(L, status);
    lua_settop(L, 0);
  }
  putchar('\n');
  program = name;
}

// MARK: Running

static int plain_main(lua_State *L) {
  plain_line *line = lua_touserdata(L, 1);
  luaL_checkversion(L);
  if (line->version) puts(LUA_COPYRIGHT);
  if (line->no_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  set_arguments(L, line);
  lua_gc(L, LUA_GCGEN, 0, 0);
  if (!line->no_environment && !run_environment(L)) return 0;
  if (!run_options(L, line)) return 0;
  bool script = line->script < line->argc;
  if (script && !run_script(L, line)) return 0;
  if (line->interactive) {
    prompt(L);
  } else if (!script && !line->statements && !line->version) {
    if (isatty(0)) {
      puts(LUA_COPYRIGHT);
      prompt(L);
    } else {
      run(L, luaL_loadfile(L, NULL));  // lua(1) does not count this as a failure either
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

int32_t lr_run_plain(int32_t argc, char **argv) {
  program = argc > 0 ? argv[0] : "lua";
  plain_line line = {.argc = argc, .argv = argv, .script = argc};
  read_line(&line);
  if (line.bad) return usage(&line);
  lua_State *L = luaL_newstate();
  if (!L) {
    complain("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, plain_main);
  lua_pushlightuserdata(L, &line);
  int status = lua_pcall(L, 1, 1, 0);
  bool ok = report(L, status) && lua_toboolean(L, -1);
  lua_close(L);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
