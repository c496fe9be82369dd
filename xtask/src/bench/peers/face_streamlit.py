# A dashboard of the least that one would write: a table of products and a line over time.
import pandas as pd
import streamlit as st

st.title("Products")
st.dataframe(pd.DataFrame({"sku": [f"A-{n}" for n in range(50)], "price": [n * 1.5 for n in range(50)]}))
st.line_chart(pd.DataFrame({"products": [n * n for n in range(60)]}))
