/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include "onnx.pb-c.h"
#include "onnx/skim_p.h"
#include "tests/unit/pb_build.h"

static struct diag d;

/* Skim a message of the given type, unpack what is left; NULL if refused. */
static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *desc,
				struct buf *b, struct skim *s)
{
	static uint8_t none[1];
	const enum status st =
		skim(s, &d, "f", desc, b->n ? (uint8_t *)b->p : none, b->n);

	return st ? NULL
		  : protobuf_c_message_unpack(desc, NULL, s->len, s->out);
}

static struct ticket ticket_of(const ProtobufCMessage *m)
{
	const Onnx__TensorProto *t = (const Onnx__TensorProto *)m;
	struct ticket k = {0};

	cr_assert(t->has_ticket);
	cr_assert_eq(t->ticket.len, sizeof k);
	memcpy(&k, t->ticket.data, sizeof k);
	return k;
}

/* Refused with this code? */
static void refuses(struct buf *b, enum diag_code code)
{
	struct skim s;
	ProtobufCMessage *p;

	diag_init(&d, NULL);
	p = unpack(&onnx__model_proto__descriptor, b, &s);
	cr_expect_null(p);
	cr_expect_eq(d.first, code, "got %s, expected %s",
		     diag_info(d.first)->name, diag_info(code)->name);
	skim_release(&s);
	buf_release(b);
	diag_release(&d);
}

Test(skim, varints)
{
	static const uint8_t max[] = {0xff, 0xff, 0xff, 0xff, 0xff,
				      0xff, 0xff, 0xff, 0xff, 0x01};
	static const uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0x02};
	static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
					 0x80, 0x80, 0x80, 0x80, 0x00};
	static const uint8_t padded[] = {0x85, 0x80, 0x00};
	const uint8_t *p = max;
	uint64_t v;

	cr_expect(varint_get(&p, max + sizeof max, &v));
	cr_expect_eq(v, UINT64_MAX);
	p = over;
	cr_expect_not(varint_get(&p, over + sizeof over, &v));
	p = eleven;
	cr_expect_not(varint_get(&p, eleven + sizeof eleven, &v));
	p = padded;
	cr_expect(varint_get(&p, padded + sizeof padded, &v));
	cr_expect_eq(v, 5);
	p = padded;
	cr_expect_not(varint_get(&p, padded + 2, &v));
	p = padded;
	cr_expect_not(varint_get(&p, padded, &v));
}

Test(skim, raw_data_becomes_a_ticket_and_the_last_one_wins)
{
	struct buf b = {0};
	struct skim s;
	ProtobufCMessage *p;
	struct ticket k;

	diag_init(&d, NULL);
	pb_text(&b, 9, "first");
	pb_text(&b, 8, "name");
	pb_text(&b, 9, "abc");
	p = unpack(&onnx__tensor_proto__descriptor, &b, &s);
	cr_assert_not_null(p);
	k = ticket_of(p);
	cr_expect_eq(k.field, 9);
	cr_expect_eq(k.side, 0);
	cr_expect_eq(k.len, 3);
	cr_expect_eq(memcmp(b.p + k.off, "abc", 3), 0);
	cr_expect_not(((Onnx__TensorProto *)p)->has_raw_data);
	protobuf_c_message_free_unpacked(p, NULL);
	skim_release(&s);
	buf_release(&b);
	diag_release(&d);
}

Test(skim, chunks_and_unpacked_numbers_are_gathered)
{
	static const float v[5] = {1, 2, 3, 4, 5};
	struct buf b = {0};
	struct skim s;
	ProtobufCMessage *p;
	struct ticket k;

	diag_init(&d, NULL);
	pb_raw(&b, 4, v, 8);
	pb_raw(&b, 4, v, 0);
	pb_varint(&b, 4 << 3 | 5); /* one alone */
	buf_add(&b, &v[2], 4);
	pb_raw(&b, 4, v + 3, 8);
	p = unpack(&onnx__tensor_proto__descriptor, &b, &s);
	cr_assert_not_null(p);
	k = ticket_of(p);
	cr_expect_eq(k.field, 4);
	cr_expect_eq(k.side, 1);
	cr_assert_eq(k.len, sizeof v);
	cr_expect_eq(memcmp(s.side + k.off, v, sizeof v), 0);
	protobuf_c_message_free_unpacked(p, NULL);
	skim_release(&s);
	buf_release(&b);
	diag_release(&d);
}

Test(skim, empty_typed_data_is_no_payload)
{
	struct buf b = {0};
	struct skim s;
	ProtobufCMessage *p;

	diag_init(&d, NULL);
	pb_raw(&b, 7, "", 0);
	p = unpack(&onnx__tensor_proto__descriptor, &b, &s);
	cr_assert_not_null(p);
	cr_expect_not(((Onnx__TensorProto *)p)->has_ticket);
	protobuf_c_message_free_unpacked(p, NULL);
	skim_release(&s);
	buf_release(&b);
	diag_release(&d);
}

Test(skim, training_graphs_keep_their_payloads)
{
	struct buf b = {0}, info = {0}, g = {0}, t = {0};
	struct skim s;
	Onnx__ModelProto *p;

	diag_init(&d, NULL);
	pb_text(&t, 9, "weights");
	pb_sub(&g, 5, &t);
	pb_sub(&info, 1, &g);
	pb_sub(&b, 20, &info);
	p = (Onnx__ModelProto *)unpack(&onnx__model_proto__descriptor, &b, &s);
	cr_assert_not_null(p);
	cr_expect_eq(p->training_info[0]
			     ->initialization->initializer[0]
			     ->raw_data.len,
		     7);
	protobuf_c_message_free_unpacked(&p->base, NULL);
	skim_release(&s);
	buf_release(&b);
	diag_release(&d);
}

Test(skim, refuses_damaged_bytes)
{
	struct buf b = {0};

	buf_putc(&b, 0); /* tag 0 */
	refuses(&b, E_proto);
	buf_putc(&b, 0x08); /* ends within the field */
	refuses(&b, E_proto);
	pb_varint(&b, 1 << 3 | 3); /* group */
	refuses(&b, E_proto);
	pb_varint(&b, 1 << 3 | 7);
	refuses(&b, E_proto);
	pb_text(&b, 1, "text where a number belongs");
	refuses(&b, E_proto);
	pb_num(&b, 7, 1);
	refuses(&b, E_proto);
	pb_varint(&b, 7 << 3 | 2);
	pb_varint(&b, UINT64_MAX);
	refuses(&b, E_proto);
	pb_raw(&b, 7, "", 0);
	pb_raw(&b, 7, "", 0); /* a graph twice */
	refuses(&b, E_proto);
	pb_text(&b, 536870911, "ticket");
	refuses(&b, E_proto);
}

Test(skim, two_payload_fields)
{
	struct buf m = {0}, g = {0}, t = {0};

	pb_raw(&t, 9, "1234", 4);
	pb_raw(&t, 4, "1234", 4);
	pb_sub(&g, 5, &t);
	pb_sub(&m, 7, &g);
	refuses(&m, E_payload);
}

/* An If in an If in an If ..., n deep. */
static struct buf nested(unsigned n)
{
	struct buf g = {0};

	while (n--) {
		struct buf attr = {0}, outer = {0};

		pb_sub(&attr, 6, &g);
		pb_node(&outer, "If", "c", "y", &attr);
		g = outer;
	}
	return g;
}

Test(skim, depth)
{
	struct buf g = nested(33), m = {0};
	struct skim s;

	/* model, graph, and three messages a level: 101 in all */
	diag_init(&d, NULL);
	pb_sub(&m, 7, &g);
	cr_expect_eq(skim(&s, &d, NULL, &onnx__model_proto__descriptor,
			  (uint8_t *)m.p, m.n),
		     OK);
	skim_release(&s);
	buf_release(&m);
	diag_release(&d);
	g = nested(34);
	pb_sub(&m, 7, &g);
	refuses(&m, E_depth);
	g = nested(3000);
	pb_sub(&m, 7, &g);
	refuses(&m, E_depth);
}

Test(skim, memory_is_charged_before_it_is_spent)
{
	struct buf g = {0}, m = {0};

	for (unsigned i = 0; i < 400000; i++)
		pb_raw(&g, 1, "", 0);
	pb_sub(&m, 7, &g);
	refuses(&m, E_count);
}
