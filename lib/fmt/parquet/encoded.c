/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/encoded.h"

#include "base/mem.h"

void bp_pq_page_facts_free(struct bp_pq_page_fact *facts, int n)
{
    for (int i = 0; i < n; i++)
        bp_pq_range_release(&facts[i].range);
    bp_mem_free(facts);
}

void bp_pq_encoded_release(struct bp_pq_encoded *c)
{
    bp_pq_page_facts_free(c->facts, c->n_facts);
    bp_chain_release(&c->pages);
    bp_buf_release(&c->dict_page);
    bp_buf_release(&c->filter_page);
    bp_pq_range_release(&c->range);
    *c = (struct bp_pq_encoded){0};
}
