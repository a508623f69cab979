// os.time and os.date of a pinned state: in UTC and in the words of the C locale, whatever the
// process is told by TZ and LANG. They touch no file and no clock.
#include <limits.h>
#include <string.h>

#include "internal.h"

#define DAY 86400

typedef struct {
  int64_t year;
  int month, day, hour, minute, second;  // from 1 on, like Lua's; the hour and below from 0 on
  int weekday, yearday;                  // from 0 on; 0 is Sunday, and January 1
} civil;

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Days are counted from March 1 of the year 0, so that a leap day is the last of its year.
#define DAYS_TO_1970 719468
#define DAYS_IN_400_YEARS 146097

static int64_t days_before_year(int64_t year) {
  return 365 * year + floor_divide(year, 4) - floor_divide(year, 100) + floor_divide(year, 400);
}

/// The day of a date, counted from 1970-01-01. Months and days may be out of their range.
static int64_t day_of(int64_t year, int64_t month, int64_t day) {
  int64_t shifted = month - 3;
  year += floor_divide(shifted, 12);
  shifted -= floor_divide(shifted, 12) * 12;
  return days_before_year(year) + (153 * shifted + 2) / 5 + day - 1 - DAYS_TO_1970;
}

static civil civil_of(int64_t time) {
  civil c;
  int64_t days = floor_divide(time, DAY), rest = time - days * DAY;
  c.hour = (int)(rest / 3600);
  c.minute = (int)(rest / 60 % 60);
  c.second = (int)(rest % 60);
  c.weekday = (int)(days + 4 - floor_divide(days + 4, 7) * 7);
  int64_t shifted = days + DAYS_TO_1970;
  int64_t year = floor_divide(shifted * 400, DAYS_IN_400_YEARS);
  while (days_before_year(year + 1) <= shifted) year++;  // the estimate is off by one at most
  while (days_before_year(year) > shifted) year--;
  int day = (int)(shifted - days_before_year(year));
  int month = (5 * day + 2) / 153;
  c.day = day - (153 * month + 2) / 5 + 1;
  c.month = month < 10 ? month + 3 : month - 9;
  c.year = year + (c.month <= 2);
  c.yearday = (int)(days - day_of(c.year, 1, 1));
  return c;
}

// MARK: os.date

static void set_field(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/// Sets the fields of a date in the table on top.
static void set_fields(lua_State *L, const civil *c) {
  set_field(L, "year", c->year);
  set_field(L, "month", c->month);
  set_field(L, "day", c->day);
  set_field(L, "hour", c->hour);
  set_field(L, "min", c->minute);
  set_field(L, "sec", c->second);
  set_field(L, "yday", c->yearday + 1);
  set_field(L, "wday", c->weekday + 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "isdst");
}

static const char *const weekdays[] = {
  "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
  "August", "September", "October", "November", "December"};

static bool is_leap(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// The week of ISO 8601, and the year that it belongs to.
static int iso_week(const civil *c, int64_t *year) {
  int monday_based = (c->weekday + 6) % 7;
  int week = (c->yearday - monday_based + 10) / 7;
  *year = c->year;
  if (week == 0) {
    *year -= 1;
    int days = c->yearday + (is_leap(*year) ? 366 : 365);
    return (days - monday_based + 10) / 7;
  }
  // A last week with three days or fewer is the first of the next year.
  if (week == 53 && c->yearday - monday_based + 3 >= (is_leap(c->year) ? 366 : 365)) {
    *year += 1;
    return 1;
  }
  return week;
}

static void add_number(luaL_Buffer *b, int64_t value, int width, char fill) {
  char digits[24];
  int n = 0;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do digits[n++] = (char)('0' + rest % 10); while ((rest /= 10) != 0);
  if (value < 0) luaL_addchar(b, '-');
  for (int i = n; i < width; i++) luaL_addchar(b, fill);
  while (n > 0) luaL_addchar(b, digits[--n]);
}

static void add_formatted(lua_State *L, luaL_Buffer *b, const civil *c, const char *format,
  bool utc);

/// Adds what one conversion makes. False: there is no such conversion.
static bool add_field(lua_State *L, luaL_Buffer *b, const civil *c, char conversion, bool utc) {
  int64_t iso_year;
  switch (conversion) {
    case 'a': luaL_addlstring(b, weekdays[c->weekday], 3); break;
    case 'A': luaL_addstring(b, weekdays[c->weekday]); break;
    case 'b': case 'h': luaL_addlstring(b, months[c->month - 1], 3); break;
    case 'B': luaL_addstring(b, months[c->month - 1]); break;
    case 'c': add_formatted(L, b, c, "%a %b %e %H:%M:%S %Y", utc); break;
    case 'C': add_number(b, floor_divide(c->year, 100), 1, '0'); break;
    case 'd': add_number(b, c->day, 2, '0'); break;
    case 'D': case 'x': add_formatted(L, b, c, "%m/%d/%y", utc); break;
    case 'e': add_number(b, c->day, 2, ' '); break;
    case 'F': add_formatted(L, b, c, "%Y-%m-%d", utc); break;
    case 'g': iso_week(c, &iso_year); add_number(b, iso_year % 100, 2, '0'); break;
    case 'G': iso_week(c, &iso_year); add_number(b, iso_year, 1, '0'); break;
    case 'H': add_number(b, c->hour, 2, '0'); break;
    case 'I': add_number(b, (c->hour + 11) % 12 + 1, 2, '0'); break;
    case 'j': add_number(b, c->yearday + 1, 3, '0'); break;
    case 'm': add_number(b, c->month, 2, '0'); break;
    case 'M': add_number(b, c->minute, 2, '0'); break;
    case 'n': luaL_addchar(b, '\n'); break;
    case 'p': luaL_addstring(b, c->hour < 12 ? "AM" : "PM"); break;
    case 'r': add_formatted(L, b, c, "%I:%M:%S %p", utc); break;
    case 'R': add_formatted(L, b, c, "%H:%M", utc); break;
    case 'S': add_number(b, c->second, 2, '0'); break;
    case 't': luaL_addchar(b, '\t'); break;
    case 'T': case 'X': add_formatted(L, b, c, "%H:%M:%S", utc); break;
    case 'u': add_number(b, (c->weekday + 6) % 7 + 1, 1, '0'); break;
    case 'U': add_number(b, (c->yearday + 7 - c->weekday) / 7, 2, '0'); break;
    case 'V': add_number(b, iso_week(c, &iso_year), 2, '0'); break;
    case 'w': add_number(b, c->weekday, 1, '0'); break;
    case 'W': add_number(b, (c->yearday + 7 - (c->weekday + 6) % 7) / 7, 2, '0'); break;
    case 'y': add_number(b, c->year - floor_divide(c->year, 100) * 100, 2, '0'); break;
    case 'Y': add_number(b, c->year, 1, '0'); break;
    case 'z': luaL_addstring(b, "+0000"); break;
    case 'Z': luaL_addstring(b, utc ? "GMT" : "UTC"); break;
    case '%': luaL_addchar(b, '%'); break;
    default: return false;
  }
  return true;
}

/// How many letters of a conversion follow its `%`: 0 when it is none that C99 knows.
static int conversion_length(const char *s) {
  if (*s == 0) return 0;
  if (*s == 'E') return s[1] != 0 && strchr("cCxXyY", s[1]) ? 2 : 0;
  if (*s == 'O') return s[1] != 0 && strchr("deHImMSuUVwWy", s[1]) ? 2 : 0;
  return strchr("aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%", *s) ? 1 : 0;
}

static void add_formatted(lua_State *L, luaL_Buffer *b, const civil *c, const char *format,
  bool utc) {
  for (const char *s = format; *s; s++) {
    if (*s != '%') {
      luaL_addchar(b, *s);
      continue;
    }
    int length = conversion_length(s + 1);
    if (length == 0 || !add_field(L, b, c, s[length], utc)) {
      luaL_argerror(L, 1, lua_pushfstring(L, "invalid conversion specifier '%%%s'", s + 1));
    }
    s += length;
  }
}

int lr_civil_date(lua_State *L) {
  const char *format = luaL_checkstring(L, 1);
  civil c = civil_of(luaL_checkinteger(L, 2));
  bool utc = *format == '!';
  if (utc) format++;
  if (c.year > INT_MAX || c.year < INT_MIN) {
    return luaL_error(L, "date result cannot be represented in this installation");
  }
  if (strncmp(format, "*t", 2) == 0) {
    lua_createtable(L, 0, 9);
    set_fields(L, &c);
    return 1;
  }
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  add_formatted(L, &buffer, &c, format, utc);
  luaL_pushresult(&buffer);
  return 1;
}

// MARK: os.time

/// A field of the table on top. A `missing` below zero: it must be there.
static int64_t get_field(lua_State *L, const char *name, int missing) {
  int type = lua_getfield(L, -1, name), is_integer;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer) {
    if (type != LUA_TNIL) luaL_error(L, "field '%s' is not an integer", name);
    if (missing < 0) luaL_error(L, "field '%s' missing in date table", name);
    value = missing;
  } else if (value > INT_MAX || value < INT_MIN) {
    luaL_error(L, "field '%s' is out-of-bound", name);
  }
  lua_pop(L, 1);
  return value;
}

int lr_civil_time(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int64_t year = get_field(L, "year", -1), month = get_field(L, "month", -1);
  int64_t day = get_field(L, "day", -1), hour = get_field(L, "hour", 12);
  int64_t minute = get_field(L, "min", 0), second = get_field(L, "sec", 0);
  int64_t time = day_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
  civil c = civil_of(time);
  set_fields(L, &c);
  lua_pushinteger(L, time);
  return 1;
}
