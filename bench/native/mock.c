// mock.c - a fast mock LLM upstream (OpenAI chat + Anthropic messages), epoll, HTTP/1.1 keep-alive.
// usage: mock -p PORT [-a 127.0.0.1] [-w WORKERS] [-k KEYPREFIX]
// The shape of the answer is asked for in the request body's "model" value, so it passes through any gateway:
//   mock-n<chunks>-b<bytes/chunk>-p<ms between chunks>-d<ms before first byte>
//   n0  => non-stream JSON (~1.5 KB with usage);  p0 => the entire SSE body in one write.
// Every paced chunk carries "~T<19 digits CLOCK_MONOTONIC ns>" in its text so that a driver on the
// same machine can compute the one-way delay of each chunk (mock write -> driver read).
// -k: requests whose Authorization bearer / x-api-key does not start with KEYPREFIX get a 401
//     (proves that the gateway swapped the key).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HDR_MAX 32768
#define CAP 1024
enum { S_HDR, S_BODY, S_CHUNKED, S_REPLY };

typedef struct tmpl { // one prebuilt answer
  int n, b, anth;
  char *head; size_t head_len;    // response head + first events (role / message_start)
  char *chunk; size_t chunk_len; size_t ts_off; // a framed chunk, offset of the 19 digits
  char *tail; size_t tail_len;    // finish, usage, [DONE], last chunk
  char *all; size_t all_len;      // everything at once
  struct tmpl *next;
} tmpl;

typedef struct conn {
  int fd, state;
  char *hdr; int hlen;            // header accumulation
  int64_t body_left; uint64_t body_seen;
  int cs; int64_t clen;           // chunked request parse state
  char cap[CAP + 1]; int capn;
  int anth, auth_ok, is_get;
  // reply
  tmpl *t; int sent_chunks; int phase; // 0 head 1 chunks 2 tail
  int n, b, p, d;
  uint64_t due; int hidx;         // heap
  char *out; size_t out_len, out_off; int out_own; // pending partial write
  char *extra; int extra_n;       // pipelined bytes
  int want_w;
} conn;

static int ep, keylen; static const char *keypref;
static tmpl *tmpls;
static conn **heap; static int hn, hcap;
static uint64_t served, served_stream, bad_auth;

static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec; }
static void put_ts(char *p, uint64_t v) { for (int i = 18; i >= 0; i--) { p[i] = '0' + v % 10; v /= 10; } }

static void hswap(int i, int j) { conn *t = heap[i]; heap[i] = heap[j]; heap[j] = t; heap[i]->hidx = i; heap[j]->hidx = j; }
static void hup(int i) { while (i && heap[(i - 1) / 2]->due > heap[i]->due) { hswap(i, (i - 1) / 2); i = (i - 1) / 2; } }
static void hdown(int i) { for (;;) { int l = 2 * i + 1, m = i; if (l < hn && heap[l]->due < heap[m]->due) m = l; if (l + 1 < hn && heap[l + 1]->due < heap[m]->due) m = l + 1; if (m == i) return; hswap(i, m); i = m; } }
static void hadd(conn *c) { if (hn == hcap) { hcap = hcap ? hcap * 2 : 1024; heap = realloc(heap, hcap * sizeof *heap); } c->hidx = hn; heap[hn++] = c; hup(c->hidx); }
static void hdel(conn *c) { int i = c->hidx; if (i < 0) return; hn--; if (i != hn) { heap[i] = heap[hn]; heap[i]->hidx = i; hup(i); hdown(i); } c->hidx = -1; }

static const char *VENDOR_HDRS =
  "date: Thu, 20 Nov 2025 20:00:00 GMT\r\n"
  "access-control-expose-headers: X-Request-ID\r\n"
  "openai-organization: mock-org\r\n"
  "openai-processing-ms: 412\r\n"
  "openai-project: proj_mock0000000000000000\r\n"
  "openai-version: 2020-10-01\r\n"
  "x-envoy-upstream-service-time: 428\r\n"
  "x-ratelimit-limit-requests: 10000\r\n"
  "x-ratelimit-limit-tokens: 30000000\r\n"
  "x-ratelimit-remaining-requests: 9999\r\n"
  "x-ratelimit-remaining-tokens: 29999981\r\n"
  "x-ratelimit-reset-requests: 6ms\r\n"
  "x-ratelimit-reset-tokens: 0s\r\n"
  "x-request-id: req_5f2d7c0f3b1e4a5d9c8b7a6f5e4d3c2b\r\n"
  "cf-cache-status: DYNAMIC\r\n"
  "strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
  "x-content-type-options: nosniff\r\n"
  "server: cloudflare\r\n"
  "cf-ray: 9a1b2c3d4e5f6a7b-FRA\r\n"
  "alt-svc: h3=\":443\"; ma=86400\r\n";

static char *ns_openai, *ns_anth, *r401, *r404; static size_t ns_openai_len, ns_anth_len, r401_len, r404_len;

static char *framed(const char *s, size_t n, size_t *out_len) { // HTTP chunk framing
  char *p = malloc(n + 32); int k = sprintf(p, "%zx\r\n", n); memcpy(p + k, s, n); memcpy(p + k + n, "\r\n", 2); *out_len = k + n + 2; return p;
}
static void cat(char **buf, size_t *len, const char *s, size_t n) { *buf = realloc(*buf, *len + n + 1); memcpy(*buf + *len, s, n); *len += n; (*buf)[*len] = 0; }
static void cat_frame(char **buf, size_t *len, const char *s) { size_t k; char *f = framed(s, strlen(s), &k); cat(buf, len, f, k); free(f); }

static void build_nonstream(void) {
  static const char *words = "The gateway relays each event as it arrives, so the first token is never held back; usage is read from the last event and written out of line. ";
  char content[1024]; int k = 0; while (k < 700) k += snprintf(content + k, sizeof content - k, "%s", words); content[700] = 0;
  char body[4096];
  int bl = snprintf(body, sizeof body,
    "{\n  \"id\": \"chatcmpl-Cmock0123456789abcdefABCDEF\",\n  \"object\": \"chat.completion\",\n  \"created\": 1763668800,\n  \"model\": \"gpt-4o-mini-2024-07-18\",\n"
    "  \"choices\": [\n    {\n      \"index\": 0,\n      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": \"%s\",\n        \"refusal\": null,\n        \"annotations\": []\n      },\n      \"logprobs\": null,\n      \"finish_reason\": \"stop\"\n    }\n  ],\n"
    "  \"usage\": {\n    \"prompt_tokens\": 1843,\n    \"completion_tokens\": 152,\n    \"total_tokens\": 1995,\n    \"prompt_tokens_details\": {\n      \"cached_tokens\": 1024,\n      \"audio_tokens\": 0\n    },\n    \"completion_tokens_details\": {\n      \"reasoning_tokens\": 0,\n      \"audio_tokens\": 0,\n      \"accepted_prediction_tokens\": 0,\n      \"rejected_prediction_tokens\": 0\n    }\n  },\n  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_mock560af6\"\n}\n", content);
  size_t l = 0; char *o = NULL; char h[256];
  int hl = snprintf(h, sizeof h, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n", bl);
  cat(&o, &l, h, hl); cat(&o, &l, VENDOR_HDRS, strlen(VENDOR_HDRS)); cat(&o, &l, "\r\n", 2); cat(&o, &l, body, bl);
  ns_openai = o; ns_openai_len = l;
  bl = snprintf(body, sizeof body, "{\"id\":\"msg_01Mock0123456789abcdef\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":1843,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":1024,\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},\"output_tokens\":152,\"service_tier\":\"standard\"}}", content);
  o = NULL; l = 0; hl = snprintf(h, sizeof h, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n", bl);
  cat(&o, &l, h, hl); cat(&o, &l, VENDOR_HDRS, strlen(VENDOR_HDRS)); cat(&o, &l, "\r\n", 2); cat(&o, &l, body, bl);
  ns_anth = o; ns_anth_len = l;
  const char *e = "{\"error\":{\"message\":\"Incorrect API key provided\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}";
  r401 = malloc(1024); r401_len = sprintf(r401, "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(e), e);
  e = "{\"error\":{\"message\":\"not found\"}}";
  r404 = malloc(1024); r404_len = sprintf(r404, "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(e), e);
}

static tmpl *get_tmpl(int n, int b, int anth) {
  for (tmpl *t = tmpls; t; t = t->next) if (t->n == n && t->b == b && t->anth == anth) return t;
  tmpl *t = calloc(1, sizeof *t); t->n = n; t->b = b; t->anth = anth; t->next = tmpls; tmpls = t;
  const char *h = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n";
  cat(&t->head, &t->head_len, h, strlen(h)); cat(&t->head, &t->head_len, VENDOR_HDRS, strlen(VENDOR_HDRS)); cat(&t->head, &t->head_len, "\r\n", 2);
  char *ev = malloc(b + 1024); const char *pre, *post;
  if (!anth) {
    cat_frame(&t->head, &t->head_len, "data: {\"id\":\"chatcmpl-Cmock0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1763668800,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n");
    pre = "data: {\"id\":\"chatcmpl-Cmock0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1763668800,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"~T";
    post = "\"},\"finish_reason\":null}]}\n\n";
    cat_frame(&t->tail, &t->tail_len, "data: {\"id\":\"chatcmpl-Cmock0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1763668800,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    cat_frame(&t->tail, &t->tail_len, "data: {\"id\":\"chatcmpl-Cmock0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1763668800,\"model\":\"gpt-4o-mini\",\"choices\":[],\"usage\":{\"prompt_tokens\":1843,\"completion_tokens\":152,\"total_tokens\":1995,\"prompt_tokens_details\":{\"cached_tokens\":1024,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}\n\n");
    cat_frame(&t->tail, &t->tail_len, "data: [DONE]\n\n");
  } else {
    cat_frame(&t->head, &t->head_len, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01Mock0123456789abcdef\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1843,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":1024,\"output_tokens\":4,\"service_tier\":\"standard\"}}}\n\n");
    cat_frame(&t->head, &t->head_len, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
    cat_frame(&t->head, &t->head_len, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    pre = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"~T";
    post = "\"}}\n\n";
    cat_frame(&t->tail, &t->tail_len, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
    cat_frame(&t->tail, &t->tail_len, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":1843,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":1024,\"output_tokens\":152}}\n\n");
    cat_frame(&t->tail, &t->tail_len, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  }
  cat(&t->tail, &t->tail_len, "0\r\n\r\n", 5);
  int base = strlen(pre) + 19 + strlen(post); int pad = b > base ? b - base : 0;
  int k = sprintf(ev, "%s0000000000000000000", pre); size_t tso = strlen(pre);
  for (int i = 0; i < pad; i++) ev[k++] = " the quick answer"[i % 17];
  strcpy(ev + k, post);
  t->chunk = framed(ev, strlen(ev), &t->chunk_len);
  t->ts_off = (size_t)(strstr(t->chunk, "\r\n") + 2 - t->chunk) + tso;
  free(ev);
  cat(&t->all, &t->all_len, t->head, t->head_len);
  for (int i = 0; i < n; i++) cat(&t->all, &t->all_len, t->chunk, t->chunk_len);
  cat(&t->all, &t->all_len, t->tail, t->tail_len);
  return t;
}

static void mod(conn *c) { struct epoll_event e = { .events = EPOLLIN | (c->want_w ? EPOLLOUT : 0), .data.ptr = c }; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e); }
static void close_conn(conn *c) { hdel(c); close(c->fd); free(c->hdr); if (c->out_own) free(c->out); free(c->extra); free(c); }

// returns 1 fully written, 0 pending, -1 error
static int send_buf(conn *c, const char *p, size_t n) {
  if (c->out) { // append behind pending bytes
    size_t left = c->out_len - c->out_off; char *q = malloc(left + n); memcpy(q, c->out + c->out_off, left); memcpy(q + left, p, n);
    free(c->out); c->out = q; c->out_len = left + n; c->out_off = 0; return 0;
  }
  ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (w == (ssize_t)n) return 1;
  if (w < 0) { if (errno != EAGAIN) return -1; w = 0; }
  c->out = malloc(n - w); memcpy(c->out, p + w, n - w); c->out_len = n - w; c->out_off = 0; c->out_own = 1;
  if (!c->want_w) { c->want_w = 1; mod(c); }
  return 0;
}

static void reset_req(conn *c) { c->state = S_HDR; c->hlen = 0; c->capn = 0; c->body_seen = 0; c->cs = 0; c->phase = 0; c->sent_chunks = 0; c->t = NULL; }

static int param(const char *s, const char *e, char key, int dflt) {
  for (const char *p = s; p + 2 < e; p++) if (*p == '-' && p[1] == key && p[2] >= '0' && p[2] <= '9') return atoi(p + 2);
  return dflt;
}

static int start_reply(conn *c) { // request fully read
  c->state = S_REPLY; served++;
  if (c->is_get == 1) return send_buf(c, ns_openai, ns_openai_len) < 0 ? -1 : (reset_req(c), 0);
  if (c->is_get == 2) return send_buf(c, r404, r404_len) < 0 ? -1 : (reset_req(c), 0);
  if (!c->auth_ok) { bad_auth++; return send_buf(c, r401, r401_len) < 0 ? -1 : (reset_req(c), 0); }
  c->cap[c->capn] = 0; c->n = c->p = c->d = 0; c->b = 200;
  char *m = memmem(c->cap, c->capn, "mock-", 5);
  if (m) { char *e = strchr(m, '"'); if (!e) e = c->cap + c->capn; m += 4; c->n = param(m, e, 'n', 0); c->b = param(m, e, 'b', 200); c->p = param(m, e, 'p', 0); c->d = param(m, e, 'd', 0); }
  if (c->n > 0) { served_stream++; c->t = get_tmpl(c->n, c->b, c->anth); }
  if (c->d == 0 && (c->n == 0 || c->p == 0)) {
    int r = c->n ? send_buf(c, c->t->all, c->t->all_len) : c->anth ? send_buf(c, ns_anth, ns_anth_len) : send_buf(c, ns_openai, ns_openai_len);
    if (r < 0) return -1;
    reset_req(c); return 0;
  }
  c->due = now_ns() + (uint64_t)c->d * 1000000ull; hadd(c);
  return 0;
}

static int tick(conn *c, uint64_t now) { // a timer fired; c already removed from the heap
  int r;
  if (c->n == 0) { r = c->anth ? send_buf(c, ns_anth, ns_anth_len) : send_buf(c, ns_openai, ns_openai_len); if (r < 0) return -1; reset_req(c); return 0; }
  tmpl *t = c->t;
  if (c->p == 0) { r = send_buf(c, t->all, t->all_len); if (r < 0) return -1; reset_req(c); return 0; }
  if (c->phase == 0) { c->phase = 1; if (send_buf(c, t->head, t->head_len) < 0) return -1; c->due += (uint64_t)c->p * 1000000ull; hadd(c); return 0; }
  put_ts(t->chunk + t->ts_off, now_ns());
  if (send_buf(c, t->chunk, t->chunk_len) < 0) return -1;
  c->sent_chunks++;
  if (c->sent_chunks >= c->n) { if (send_buf(c, t->tail, t->tail_len) < 0) return -1; reset_req(c); return 0; }
  c->due += (uint64_t)c->p * 1000000ull; if (c->due < now) c->due = now; // do not burst to catch up
  hadd(c); return 0;
}

static const char *hfind(const char *h, const char *e, const char *name) { // name in lower case with colon
  size_t n = strlen(name);
  for (const char *p = h; p + n < e;) { if (!strncasecmp(p, name, n)) { p += n; while (*p == ' ') p++; return p; } p = memchr(p, '\n', e - p); if (!p) return NULL; p++; }
  return NULL;
}

// consume bytes; returns -1 to close
static int feed(conn *c, const char *p, size_t n) {
  while (n) {
    if (c->state == S_REPLY) { c->extra = realloc(c->extra, c->extra_n + n); memcpy(c->extra + c->extra_n, p, n); c->extra_n += n; return 0; }
    if (c->state == S_HDR) {
      size_t take = n; if (c->hlen + take > HDR_MAX) take = HDR_MAX - c->hlen; if (!take) return -1;
      int from = c->hlen > 3 ? c->hlen - 3 : 0; memcpy(c->hdr + c->hlen, p, take); c->hlen += take;
      char *e = memmem(c->hdr + from, c->hlen - from, "\r\n\r\n", 4);
      if (!e) { p += take; n -= take; continue; }
      int hl = e + 4 - c->hdr; int used = take - (c->hlen - hl); p += used; n -= used; c->hlen = hl; *e = 0;
      c->is_get = 0; c->anth = 0;
      if (!memcmp(c->hdr, "GET", 3)) c->is_get = 1;
      else { char *sp = strchr(c->hdr, ' '); char *eol = strchr(c->hdr, '\r'); if (!sp || !eol) return -1;
        if (memmem(sp, eol - sp, "/messages", 9)) c->anth = 1; else if (!memmem(sp, eol - sp, "/chat/completions", 17)) c->is_get = 2; }
      const char *h = strchr(c->hdr, '\n'); h = h ? h + 1 : e; const char *v;
      c->auth_ok = 1;
      if (keypref) { c->auth_ok = 0; if ((v = hfind(h, e, "authorization:")) && !strncasecmp(v, "bearer ", 7) && !strncmp(v + 7, keypref, keylen)) c->auth_ok = 1; if ((v = hfind(h, e, "x-api-key:")) && !strncmp(v, keypref, keylen)) c->auth_ok = 1; }
      if ((v = hfind(h, e, "transfer-encoding:")) && !strncasecmp(v, "chunked", 7)) { c->state = S_CHUNKED; c->cs = 0; c->clen = 0; }
      else { v = hfind(h, e, "content-length:"); c->body_left = v ? atoll(v) : 0; c->state = S_BODY; if (!c->body_left && start_reply(c) < 0) return -1; }
      continue;
    }
    if (c->state == S_BODY) {
      size_t take = n < (size_t)c->body_left ? n : (size_t)c->body_left;
      if (c->capn < CAP) { int k = CAP - c->capn < (int)take ? CAP - c->capn : (int)take; memcpy(c->cap + c->capn, p, k); c->capn += k; }
      p += take; n -= take; c->body_left -= take; c->body_seen += take;
      if (!c->body_left && start_reply(c) < 0) return -1;
      continue;
    }
    // chunked: cs 0 size line, 1 data, 2 CRLF after data, 3 trailer (after zero chunk)
    if (c->cs == 0) { char ch = *p++; n--; if (ch == '\n') { c->cs = c->clen ? 1 : 3; c->body_left = c->clen; c->clen = 0; } else if (ch >= '0' && ch <= '9') c->clen = c->clen * 16 + ch - '0'; else if ((ch | 32) >= 'a' && (ch | 32) <= 'f') c->clen = c->clen * 16 + (ch | 32) - 'a' + 10; }
    else if (c->cs == 1) { size_t take = n < (size_t)c->body_left ? n : (size_t)c->body_left;
      if (c->capn < CAP) { int k = CAP - c->capn < (int)take ? CAP - c->capn : (int)take; memcpy(c->cap + c->capn, p, k); c->capn += k; }
      p += take; n -= take; c->body_left -= take; c->body_seen += take; if (!c->body_left) c->cs = 2; }
    else if (c->cs == 2) { char ch = *p++; n--; if (ch == '\n') c->cs = 0; }
    else { char ch = *p++; n--; if (ch == '\n' && start_reply(c) < 0) return -1; }
  }
  return 0;
}

static volatile sig_atomic_t stop; static void on_term(int s) { (void)s; stop = 1; }

static void run(const char *addr, int port) {
  int one = 1, ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); setsockopt(ls, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) }; inet_pton(AF_INET, addr, &a.sin_addr);
  if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) { perror("listen"); exit(1); }
  socklen_t al = sizeof a; getsockname(ls, (void *)&a, &al); printf("port %d\n", ntohs(a.sin_port)); fflush(stdout);
  ep = epoll_create1(EPOLL_CLOEXEC); struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL }; epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
  static char buf[262144]; struct epoll_event ev[512];
  while (!stop) {
    struct timespec ts, *tp = NULL; uint64_t now = now_ns();
    while (hn && heap[0]->due <= now) { conn *c = heap[0]; hdel(c); if (tick(c, now) < 0) { close_conn(c); continue; }
      if (c->state == S_HDR && c->extra_n) { char *x = c->extra; int xn = c->extra_n; c->extra = NULL; c->extra_n = 0; int r = feed(c, x, xn); free(x); if (r < 0) close_conn(c); } }
    if (hn) { now = now_ns(); uint64_t w = heap[0]->due > now ? heap[0]->due - now : 0; ts.tv_sec = w / 1000000000ull; ts.tv_nsec = w % 1000000000ull; tp = &ts; }
    int k = epoll_pwait2(ep, ev, 512, tp, NULL);
    for (int i = 0; i < k; i++) {
      conn *c = ev[i].data.ptr;
      if (!c) { for (;;) { int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); if (fd < 0) break; setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          conn *x = calloc(1, sizeof *x); x->fd = fd; x->hdr = malloc(HDR_MAX + 1); x->hidx = -1; struct epoll_event q = { .events = EPOLLIN, .data.ptr = x }; epoll_ctl(ep, EPOLL_CTL_ADD, fd, &q); } continue; }
      if (ev[i].events & EPOLLOUT && c->out) {
        ssize_t w = send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (w > 0) c->out_off += w; else if (w < 0 && errno != EAGAIN) { close_conn(c); continue; }
        if (c->out_off == c->out_len) { free(c->out); c->out = NULL; c->out_own = 0; c->want_w = 0; mod(c); }
      }
      if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t r = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);
        if (r == 0 || (r < 0 && errno != EAGAIN)) { close_conn(c); continue; }
        if (r > 0 && feed(c, buf, r) < 0) { close_conn(c); continue; }
      }
    }
  }
  fprintf(stderr, "mock: served %lu (stream %lu), bad auth %lu\n", served, served_stream, bad_auth);
}

int main(int argc, char **argv) {
  int o, port = 47100, w = 1; const char *addr = "127.0.0.1";
  while ((o = getopt(argc, argv, "p:a:w:k:")) > 0) { if (o == 'p') port = atoi(optarg); if (o == 'a') addr = optarg; if (o == 'w') w = atoi(optarg); if (o == 'k') { keypref = optarg; keylen = strlen(optarg); } }
  signal(SIGPIPE, SIG_IGN); struct sigaction sa = { .sa_handler = on_term }; sigaction(SIGTERM, &sa, NULL); sigaction(SIGINT, &sa, NULL);
  build_nonstream();
  pid_t kids[64]; int nk = 0;
  for (int i = 1; i < w && i < 64; i++) { pid_t p = fork(); if (!p) { run(addr, port); return 0; } kids[nk++] = p; }
  run(addr, port);
  for (int i = 0; i < nk; i++) kill(kids[i], SIGTERM);
  while (nk && wait(NULL) > 0) nk--;
  return 0;
}
